import { expect, test } from 'vitest';
import { InterruptedError } from '../../../src/errors.ts';
import type { RolloutEnd } from '../../../src/pipeline/rollout/run.ts';
import { runRollout } from '../../../src/pipeline/rollout/run.ts';
import type { Rollout } from '../../../src/pipeline/rollout/runState.ts';
import { Fleet } from '../../helpers/menderServer/fleet.ts';
import type { Deployment, Device } from '../../helpers/menderServer/state.ts';
import { createDeployment } from '../../helpers/menderServer/state.ts';
import type { MenderServer } from '../../helpers/menderServer/menderServer.ts';
import { startMenderServer } from '../../helpers/menderServer/start.ts';
import { contextOf } from '../../server/fixture.ts';
import { KEY, TO, describeArtifact, rolloutOf } from './described.ts';
import { judgeRollout } from './judge.ts';
import { seeded } from './seeded.ts';

type Api = ReturnType<typeof contextOf>['api'];

interface World {
  server: MenderServer;
  fleet: Fleet;
  random: () => number;
  rollout: (api: Api) => Rollout;
  /** Deployments that are not of the rollout. */
  before: Deployment[];
  fallback: boolean;
  isGentle: boolean;
  isInTime: boolean;
}

async function makeWorld(seed: number): Promise<World> {
  const random = seeded(seed);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!;
  const enterprise = random() < 0.3;
  const devices: Device[] = Array.from({ length: Math.floor(random() * 25) }, (_, index) => {
    const version = pick(['1.0', '1.0', '1.1', '0.9', TO, undefined]);
    const provides: Record<string, string> = version === undefined ? {} : { [KEY]: version };
    const group = random() < 0.8 ? 'g' : 'other';
    return { id: `d${index}`, type: random() < 0.1 ? 'rpi' : 'qemu', group, provides };
  });
  const server = await startMenderServer({ devices, enterprise, pageSize: 7 });
  const chance = (most: number): number => (random() < 0.5 ? 0 : random() * most);
  const chances = {
    ...{ failure: chance(0.5), broken: chance(1), late: chance(1), vanish: chance(0.02) },
    ...{ other: chance(0.02), silent: chance(0.02) },
  };
  const fleet = new Fleet(server, { random, key: KEY, chances });
  const before = deployBefore(server, random);
  const policy = {
    fallback: random() < 0.8,
    maxFailures: random() < 0.2 ? { share: 0.3 } : undefined,
    phases: random() < 0.5 ? [1] : [0.2, 0.6, 1],
  };
  const bases = new Set(random() < 0.2 ? [] : ['1.0', '1.1'].filter(() => random() < 0.8));
  const target = { devices: ['none', ...devices.filter((one) => one.group === 'g').map(({ id }) => id)] };
  const rollout = (api: Api): Rollout => rolloutOf(server, api, { target, policy, bases });
  const isGentle = chances.failure + chances.other === 0 && policy.fallback;
  // That another version broke a device, its inventory alone tells.
  const isInTime = before.length === 0 || chances.broken * chances.failure === 0;
  return { server, fleet, random, rollout, before, fallback: policy.fallback, isGentle, isInTime };
}

/**
 * Deployments from before, that may still be active: of another version to some devices, and of
 * this one to the devices of another group.
 */
function deployBefore(server: MenderServer, random: () => number): Deployment[] {
  const some = (group: string, share: number): string[] =>
    [...server.state.devices.values()]
      .filter((one) => one.group === group && random() < share)
      .map(({ id }) => id);
  const wanted = [
    { name: 'shop-1.1', version: '1.1', targets: random() < 0.5 ? [] : some('g', 0.5) },
    { name: 'shop-1.0', version: '1.0', targets: random() < 0.7 ? [] : some('g', 0.5) },
    { name: `shop-${TO}`, version: TO, targets: random() < 0.5 ? [] : some('other', 1) },
  ];
  return wanted.flatMap(({ name, version, targets }, index) => {
    if (targets.length === 0) return [];
    describeArtifact(server, name, version);
    const facts = { name, artifact_name: name, targets, groups: [], extras: {} };
    const created = `2026-01-0${index + 1}T00:00:00Z`;
    return Object.assign(createDeployment(server.state, facts), { created });
  });
}

/**
 * The API of one run of the tool. The fleet moves on between its calls, and the run may be killed
 * at one of them.
 */
function killable({ server, fleet, random }: World, killAt: number): Api {
  const kill = new AbortController();
  const { api } = contextOf(server, kill.signal);
  let calls = 0;
  const die = (): never => {
    kill.abort(new InterruptedError('SIGTERM'));
    throw kill.signal.reason as Error;
  };
  return {
    ...api,
    call: async (request) => {
      if (random() < 0.5) fleet.step();
      calls += 1;
      // Half of the kills come when the server has done what it was asked for.
      if (calls === killAt && random() < 0.5) die();
      const answer = await api.call(request);
      if (calls >= killAt) die();
      return answer;
    },
  };
}

/** Runs the tool until a run is not killed and leaves only silent devices; returns its last end. */
async function rollOut(world: World): Promise<RolloutEnd> {
  const { random, fleet } = world;
  for (let run = 0; run < 40; run++) {
    const api = killable(world, random() < 0.6 && run < 8 ? 1 + Math.floor(random() * 30) : Infinity);
    try {
      const end = await runRollout(world.rollout(api), { api, log: contextOf(world.server).log });
      const waiting = [...end.running, ...end.retry, ...end.open].filter((id) => !fleet.silent.has(id));
      if (end.stopped !== undefined || waiting.length === 0) return end;
    } catch (error) {
      if (!(error instanceof InterruptedError)) throw error;
    }
  }
  throw new Error('the rollout does not end');
}

const SEEDS = Array.from({ length: 60 }, (_, index) => index + 1);

test.each(SEEDS)('a rollout to a random fleet, with kills: seed %d', async (seed) => {
  const world = await makeWorld(seed);
  try {
    const { stopped, retry, open } = await rollOut(world);
    judgeRollout({ ...world, key: KEY, to: TO, isStopped: stopped !== undefined });
    if (stopped === undefined) expect([retry, open], 'silent devices hold up others').toEqual([[], []]);
    expect(world.before.filter(({ aborted }) => aborted)).toEqual([]);
  } finally {
    await world.server.close();
  }
});
