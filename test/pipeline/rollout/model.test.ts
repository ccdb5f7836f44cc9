import { test } from 'vitest';
import { InterruptedError } from '../../../src/errors.ts';
import { listDevices } from '../../../src/pipeline/fleet/devices.ts';
import { releaseArtifacts } from '../../../src/pipeline/fleet/releaseArtifacts.ts';
import type { Rollout, RolloutEnd } from '../../../src/pipeline/rollout/run.ts';
import { runRollout } from '../../../src/pipeline/rollout/run.ts';
import { nameToBuild } from '../../../src/pipeline/rollout/stock.ts';
import type { Member } from '../../../src/pipeline/rollout/types.ts';
import { listArtifacts } from '../../../src/server/artifacts.ts';
import { Fleet } from '../../helpers/menderServer/fleet.ts';
import { addArtifact } from '../../helpers/menderServer/state.ts';
import type { Device } from '../../helpers/menderServer/state.ts';
import type { MenderServer } from '../../helpers/menderServer/menderServer.ts';
import { startMenderServer } from '../../helpers/menderServer/start.ts';
import { contextOf } from '../../server/fixture.ts';
import { judgeRollout } from './judge.ts';
import { seeded } from './seeded.ts';

const KEY = 'rootfs-image.shop.version';
const TO = '2.0';

type Api = ReturnType<typeof contextOf>['api'];

interface World {
  server: MenderServer;
  fleet: Fleet;
  random: () => number;
  rollout: (api: Api) => Rollout;
  fallback: boolean;
  isGentle: boolean;
  isInTime: boolean;
}

/** An artifact that is only described: the devices here look at its depends and no more. */
function describeArtifact(server: MenderServer, name: string, base: string | undefined): void {
  const size = base === undefined ? 100 : 10;
  const depends = { device_type: ['qemu'], ...(base === undefined ? {} : { [KEY]: [base] }) };
  const parsed = {
    ...{ name, device_types_compatible: ['qemu'], info: { format: 'mender', version: 3 }, signed: false },
    ...{ updates: [], clears_artifact_provides: [] },
    artifact_provides: { artifact_name: name, [KEY]: TO },
    artifact_depends: depends,
  };
  addArtifact(server.state, parsed, { id: `${name}/${base ?? ''}`, size, description: '' });
}

async function makeWorld(seed: number): Promise<World> {
  const random = seeded(seed);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!;
  const enterprise = random() < 0.3;
  const devices: Device[] = Array.from({ length: Math.floor(random() * 25) }, (_, index) => {
    const version = pick(['1.0', '1.0', '1.1', '0.9', TO, undefined]);
    const provides: Record<string, string> = version === undefined ? {} : { [KEY]: version };
    return { id: `d${index}`, type: random() < 0.1 ? 'rpi' : 'qemu', group: 'g', provides };
  });
  const server = await startMenderServer({ devices, enterprise, pageSize: 7 });
  const chance = (most: number): number => (random() < 0.5 ? 0 : random() * most);
  const chances = { failure: chance(0.5), late: chance(1), vanish: chance(0.02), other: chance(0.02) };
  const fleet = new Fleet(server, { random, key: KEY, chances });
  const named = { application: 'shop', to: TO, deviceTypes: ['qemu'], enterprise };
  const policy = {
    fallback: random() < 0.8,
    maxFailures: random() < 0.2 ? { share: 0.3 } : undefined,
    phases: random() < 0.5 ? [1] : [0.2, 0.6, 1],
  };
  const bases = new Set(random() < 0.2 ? [] : ['1.0', '1.1'].filter(() => random() < 0.8));
  const rollout = (api: Api): Rollout => ({
    ...{ named, policy, bases, timeoutMs: 60, intervalMs: 1 },
    members: async () => {
      const members: Member[] = [];
      for await (const { id, type, versions } of listDevices(api, { versionKeys: [KEY] }))
        members.push({ id, type, version: versions[KEY] as string | undefined });
      return members;
    },
    artifacts: async () => releaseArtifacts(await listArtifacts(api), KEY),
    supply: (wanted, artifacts) => {
      for (const base of wanted)
        describeArtifact(server, nameToBuild(base, artifacts, named), base ?? undefined);
      return Promise.resolve();
    },
  });
  const isGentle = chances.failure + chances.other === 0 && policy.fallback;
  const isInTime = chances.late + chances.other === 0;
  return { server, fleet, random, rollout, fallback: policy.fallback, isGentle, isInTime };
}

/** The API of one run of the tool. The fleet moves on between its calls, and the run may be killed at one of them. */
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

/** Runs the tool until a run is not killed and no device is left to wait for; returns its last end. */
async function rollOut(world: World): Promise<RolloutEnd> {
  const { random } = world;
  for (let run = 0; run < 40; run++) {
    const api = killable(world, random() < 0.6 && run < 8 ? 1 + Math.floor(random() * 30) : Infinity);
    try {
      const end = await runRollout(world.rollout(api), { api, log: contextOf(world.server).log });
      if (end.stopped !== undefined || end.running.length + end.retry.length + end.open.length === 0)
        return end;
    } catch (error) {
      if (!(error instanceof InterruptedError)) throw error;
    }
  }
  throw new Error('the rollout does not end');
}

const SEEDS = Array.from({ length: 40 }, (_, index) => index + 1);

test.each(SEEDS)('a rollout to a random fleet, with kills: seed %d', async (seed) => {
  const world = await makeWorld(seed);
  try {
    const { stopped } = await rollOut(world);
    judgeRollout({ ...world, key: KEY, to: TO, isStopped: stopped !== undefined });
  } finally {
    await world.server.close();
  }
});
