import { describe, expect, onTestFinished, test } from 'vitest';
import { NetworkError } from '../../../src/errors.ts';
import type { RolloutEnd } from '../../../src/pipeline/rollout/run.ts';
import { runRollout } from '../../../src/pipeline/rollout/run.ts';
import type { Rollout } from '../../../src/pipeline/rollout/runState.ts';
import { Fleet } from '../../helpers/menderServer/fleet.ts';
import type { Deployment, Device } from '../../helpers/menderServer/state.ts';
import { createDeployment, report } from '../../helpers/menderServer/state.ts';
import type { MenderServer } from '../../helpers/menderServer/menderServer.ts';
import { menderServer } from '../../helpers/menderServer/menderServer.ts';
import { contextOf } from '../../server/fixture.ts';
import { KEY, TO, describeArtifact, rolloutOf } from './described.ts';

const CREATE = /^POST .*\/deployments$/;
const ABORT = /^PUT .*\/status$/;
const LOG = /^GET .*\/log$/;
const LIST = /^GET .*\/v2\/deployments\/deployments$/;
const SEARCH = /^POST .*\/filters\/search$/;

const device = (id: string, version: string, group = 'g'): Device => {
  return { id, type: 'qemu', group, provides: { [KEY]: version } };
};

/** Makes a deployment as of before, with what its devices said. */
function deployed(
  server: MenderServer,
  name: string,
  targets: string[],
  statuses: Record<string, string> = {},
): Deployment {
  const facts = { name, artifact_name: name, targets, groups: [], extras: {} };
  const made = createDeployment(server.state, facts);
  made.created = `2026-01-01T00:00:0${server.state.deployments.size}Z`;
  for (const [id, status] of Object.entries(statuses)) report(made, id, { status });
  return made;
}

interface Run {
  end: RolloutEnd | undefined;
  error: unknown;
  lines: string;
}

interface Circumstances extends Partial<Pick<Rollout, 'policy' | 'timeoutMs'>> {
  /** What happens while artifacts are built. */
  meanwhile?: () => void;
  /** Devices that say nothing. */
  silent?: string[];
}

/** Runs a rollout to group `g`. The devices move on from its first deployment on. */
async function run(server: MenderServer, { silent = [], ...more }: Circumstances = {}): Promise<Run> {
  const chances = { failure: 0, late: 0, vanish: 0, other: 0 };
  const fleet = new Fleet(server, { key: KEY, random: () => 0.9, chances });
  for (const id of silent) fleet.silent.add(id);
  const before = server.state.deployments.size;
  const timer = setInterval(() => {
    if (server.state.deployments.size > before) fleet.step();
  }, 2);
  onTestFinished(() => clearInterval(timer));
  const { api, log, lines } = contextOf(server);
  const rollout = rolloutOf(server, api, { target: { group: 'g' }, ...more });
  return runRollout(rollout, { api, log }).then(
    (end) => ({ end, error: undefined, lines: lines.join('\n') }),
    (error: unknown) => ({ end: undefined, error, lines: lines.join('\n') }),
  );
}

const given = ({ state }: MenderServer) =>
  Object.fromEntries([...state.deployments.values()].map((one) => [one.artifact_name, one.targets]));

const STOP: Rollout['policy'] = { fallback: true, maxFailures: { devices: 0 }, phases: [1] };

describe('a rollout that is stopped', () => {
  /** A server where one device failed for good and another one has not asked yet. */
  async function failing(): Promise<{ server: MenderServer; own: Deployment[] }> {
    const server = await menderServer({
      devices: [device('a', '1.0'), device('b', '1.0'), device('c', '1.0')],
    });
    describeArtifact(server, 'shop-2.0', TO);
    const own = [
      deployed(server, 'shop-2.0', ['a', 'b'], { a: 'failure' }),
      deployed(server, 'shop-2.0', ['c']),
    ];
    return { server, own };
  }

  test.each<[string, RegExp, boolean[]]>([
    ['a log that it can not read', LOG, [true, true]],
    ['an abort that fails', ABORT, [false, true]],
  ])('aborts what it can, whatever becomes of %s', async (_, call, aborted) => {
    const { server, own } = await failing();
    server.faults.plan(call, { kind: 'status', status: 400, message: 'out of order' });
    const { end, lines } = await run(server, { policy: STOP });
    expect(end).toMatchObject({
      stopped: { failed: 1, attempted: 3 },
      failed: ['a'],
      failedIn: [own[0]!.id],
    });
    expect(own.map((one) => one.aborted)).toEqual(aborted);
    expect(lines).toContain('out of order');
  });

  test('leaves the deployments of others alone', async () => {
    const { server, own } = await failing();
    for (const id of ['s', 't']) server.state.devices.set(id, device(id, '1.0', 'staging'));
    const staging = deployed(server, 'shop-2.0', ['s', 't']);
    const shared = deployed(server, 'shop-2.0', ['s', 'c']);
    const { end, lines } = await run(server, { policy: STOP });
    expect(end?.deployments).toEqual([...own, shared].map(({ id }) => id));
    expect([...own, staging, shared].map(({ aborted }) => aborted)).toEqual([true, true, false, false]);
    expect(lines).toContain(`deployment ${shared.id} of shop-2.0 keeps running`);
  });
});

test('a rollout goes on while somebody aborts that of another group', async () => {
  const server = await menderServer({ devices: [device('a', '1.0'), device('s', '1.0', 'staging')] });
  describeArtifact(server, 'shop-2.0', TO);
  const staging = deployed(server, 'shop-2.0', ['s']);
  const meanwhile = (): void => {
    Object.assign(staging, { aborted: true, finished: new Date().toISOString() });
  };
  const { end } = await run(server, { meanwhile });
  expect(end).toMatchObject({ succeeded: ['a'], running: [] });
});

test('a rollout looks at the devices again after it has built', async () => {
  const server = await menderServer({ devices: [device('a', '1.0'), device('b', '1.0')] });
  const meanwhile = (): void => {
    server.state.devices.get('b')!.provides = { [KEY]: '1.1' };
  };
  const { end } = await run(server, { meanwhile });
  expect(end?.succeeded).toEqual(['a', 'b']);
  expect(given(server)).toEqual({ 'shop-2.0-from-1.0': ['a'], 'shop-2.0-from-1.1': ['b'] });
});

test('a device that has an older rollout before it gets the full artifact', async () => {
  const server = await menderServer({ devices: [device('a', '1.0'), device('b', '1.0')] });
  describeArtifact(server, 'shop-1.1', '1.1');
  deployed(server, 'shop-1.1', ['a']);
  const { end } = await run(server);
  expect(end?.succeeded).toEqual(['a', 'b']);
  expect(given(server)).toEqual({ 'shop-1.1': ['a'], 'shop-2.0-from-1.0': ['b'], 'shop-2.0': ['a'] });
});

test('a device that died in the middle of its update holds up nothing', async () => {
  const server = await menderServer({ devices: ['a', 'b', 'c', 'd'].map((id) => device(id, '1.0')) });
  describeArtifact(server, 'shop-2.0-from-1.0', TO, '1.0');
  deployed(server, 'shop-2.0-from-1.0', ['a', 'b'], { a: 'failure', b: 'downloading' });
  const { end } = await run(server, {
    policy: { fallback: true, maxFailures: undefined, phases: [0.5, 1] },
    ...{ silent: ['b'], timeoutMs: 200 },
  });
  expect(end).toMatchObject({ running: ['b'], busy: ['b'], succeeded: ['a', 'c', 'd'] });
});

describe('a server that is out of reach', () => {
  const OUTAGE = { kind: 'status', status: 503 } as const;

  test.each<[string, RegExp]>([
    ['it lists deployments', LIST],
    ['it reads devices', SEARCH],
    ['it deploys', CREATE],
  ])('for a while when %s does not end a rollout', async (_, call) => {
    const server = await menderServer({ devices: [device('a', '1.0'), device('b', '1.1')] });
    server.faults.plan(call, OUTAGE, 8);
    const { end, lines } = await run(server, { timeoutMs: 10_000 });
    expect(end?.succeeded).toEqual(['a', 'b']);
    expect(lines).toContain('trying again');
  });

  test('for good ends it, and says what goes on', async () => {
    const server = await menderServer({ devices: [device('a', '1.0'), device('b', '1.0')] });
    describeArtifact(server, 'shop-2.0', TO);
    deployed(server, 'shop-2.0', ['a'], { a: 'downloading' });
    const meanwhile = (): void => server.faults.plan(LIST, OUTAGE, 9999);
    const { error, lines } = await run(server, { timeoutMs: 100, meanwhile });
    expect(error).toBeInstanceOf(NetworkError);
    expect(lines).toContain('the deployments keep running; run the same command again to continue');
  });
});
