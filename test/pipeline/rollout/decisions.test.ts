import { describe, expect, test } from 'vitest';
import { UsageError } from '../../../src/errors.ts';
import type { ReleaseArtifact } from '../../../src/pipeline/fleet/releaseArtifacts.ts';
import { decide, requestSized, standingOf } from '../../../src/pipeline/rollout/decide.ts';
import { demandOf, withoutBases } from '../../../src/pipeline/rollout/demand.ts';
import type { RolloutDeployment } from '../../../src/pipeline/rollout/history.ts';
import { historyOf } from '../../../src/pipeline/rollout/history.ts';
import { rolloutError } from '../../../src/pipeline/rollout/outcome.ts';
import { parsePhases, parseThreshold } from '../../../src/pipeline/rollout/policy.ts';
import type { RolloutEnd } from '../../../src/pipeline/rollout/run.ts';
import type { Named } from '../../../src/pipeline/rollout/stock.ts';
import { baseGiven, nameGiven, nameToBuild, rolesOf, stockOf } from '../../../src/pipeline/rollout/stock.ts';
import type { DeviceState, Member, RolloutPolicy } from '../../../src/pipeline/rollout/types.ts';

const member = (id: string, version?: string, type = 'qemu'): Member => ({ id, type, version });

describe('what devices need', () => {
  const members = [
    ...[member('a', '1.0'), member('b', '1.0'), member('c', '0.9'), member('d', '2.0'), member('e')],
    ...[member('f', '1.0', 'rpi'), { id: 'g', type: undefined, version: '1.0' }],
  ];
  test.each([
    [
      1,
      [
        ['1.0', ['a', 'b']],
        ['0.9', ['c']],
      ],
      ['e'],
    ],
    [2, [['1.0', ['a', 'b']]], ['c', 'e']],
    [3, [], ['a', 'b', 'c', 'e']],
  ])('with deltas for %d devices or more', (minDevices, deltas, full) => {
    const demand = demandOf(members, { to: '2.0', deviceTypes: ['qemu'], minDevices });
    expect([...demand.deltas]).toEqual(deltas);
    expect(demand.full).toEqual(full);
  });

  test('not those that have the version, or that no artifact fits', () => {
    const { current, unfit, open } = standingOf(members, new Map(), POLICY);
    expect([current, unfit, open.map(({ id }) => id)]).toEqual([['d'], ['f', 'g'], ['a', 'b', 'c', 'e']]);
  });

  test('without a base', () => {
    const demand = demandOf(members, { to: '2.0', deviceTypes: ['qemu'], minDevices: 1 });
    const left = withoutBases(demand, new Set(['1.0']));
    expect([...left.deltas.keys(), ...left.full]).toEqual(['0.9', 'a', 'b', 'e']);
  });
});

function deployment(
  more: Partial<RolloutDeployment>,
  statuses: Record<string, string> = {},
): RolloutDeployment {
  const targets = ['a'];
  return {
    ...{ id: '1', artifact: 'delta', version: '2.0', artifactName: 'shop-2.0', finished: false },
    targets,
    statuses: new Map(Object.entries(statuses)),
    ...more,
  };
}

describe('what a device has come to', () => {
  const running = (asked: boolean): DeviceState => ({ kind: 'running', asked });
  const failed = (what: 'delta' | 'full'): DeviceState => ({ kind: 'failed', with: what });
  test.each<[string, RolloutDeployment[], DeviceState | undefined]>([
    ['has not asked', [deployment({})], running(false)],
    ['waits', [deployment({}, { a: 'pending' })], running(false)],
    ['installs', [deployment({}, { a: 'installing' })], running(true)],
    ['succeeded', [deployment({}, { a: 'success' })], { kind: 'succeeded' }],
    ['had it', [deployment({}, { a: 'already-installed' })], { kind: 'succeeded' }],
    ['failed with a delta', [deployment({}, { a: 'failure' })], failed('delta')],
    [
      'failed with both',
      [deployment({}, { a: 'failure' }), deployment({ artifact: 'full' }, { a: 'failure' })],
      failed('full'),
    ],
    [
      'failed with both, delta last',
      [deployment({ artifact: 'full' }, { a: 'failure' }), deployment({}, { a: 'failure' })],
      failed('full'),
    ],
    [
      'was repaired',
      [deployment({}, { a: 'failure' }), deployment({ artifact: 'full' }, { a: 'success' })],
      { kind: 'succeeded' },
    ],
    [
      'succeeded before',
      [deployment({}, { a: 'success' }), deployment({}, { a: 'failure' })],
      { kind: 'succeeded' },
    ],
    ['is repaired now', [deployment({}, { a: 'failure' }), deployment({ artifact: 'full' })], running(false)],
    ['fits no delta', [deployment({}, { a: 'noartifact' })], failed('delta')],
    ['fits nothing', [deployment({ artifact: 'full' }, { a: 'noartifact' })], failed('full')],
    ['is no longer there', [deployment({}, { a: 'decommissioned' })], { kind: 'unfit' }],
    ['was aborted', [deployment({ finished: true }, { a: 'aborted' })], undefined],
    ['never asked', [deployment({ finished: true })], undefined],
    ['is another', [deployment({ targets: ['b'] })], undefined],
  ])('that %s', (_, deployments, state) => {
    expect(historyOf(deployments, { members: [], to: '2.0' }).get('a')).toEqual(state);
  });

  const at = (hour: number): string => `2026-05-01T0${hour}:00:00.000Z`;
  const ended = (status: string, hour: number) =>
    deployment({ ended: new Map([['a', at(hour)]]) }, { a: status });
  const other = (status: string) => deployment({ artifact: 'other' }, { a: status });
  test.each<[string, RolloutDeployment[], string, number | undefined, DeviceState | undefined]>([
    ['got another version later', [ended('success', 1), other('success')], '1.0', 0, undefined],
    ['failed, and got another version', [ended('failure', 1), other('success')], '1.0', 0, undefined],
    ['had another version before', [other('success'), ended('success', 1)], '1.0', 0, { kind: 'succeeded' }],
    ['refused another version', [ended('success', 1), other('failure')], '1.0', 0, { kind: 'succeeded' }],
    [
      'came back to it',
      [ended('success', 1), other('success'), ended('success', 3)],
      '1.0',
      2,
      { kind: 'succeeded' },
    ],
    ['comes back to it', [ended('success', 1), other('success'), deployment({})], '1.0', 2, running(false)],
    ['reported before it succeeded', [ended('success', 2)], '1.0', 1, { kind: 'succeeded' }],
    ['reported another version afterwards', [ended('success', 1)], '1.0', 2, undefined],
    [
      'reported another version, and failed since',
      [ended('success', 1), ended('failure', 3)],
      '1.0',
      2,
      failed('delta'),
    ],
    ['reported this version afterwards', [ended('success', 1)], '2.0', 2, { kind: 'succeeded' }],
    ['failed, and reported this version afterwards', [ended('failure', 1)], '2.0', 2, undefined],
    ['reported this version, and failed', [ended('failure', 2)], '2.0', 1, failed('delta')],
    ['reported at a time that nobody knows', [ended('success', 1)], '1.0', undefined, { kind: 'succeeded' }],
    [
      'ended at a time that nobody knows',
      [deployment({}, { a: 'success' })],
      '1.0',
      2,
      { kind: 'succeeded' },
    ],
  ])('that %s', (_, deployments, version, hour, state) => {
    const members = [{ ...member('a', version), updated: hour === undefined ? undefined : at(hour) }];
    expect(historyOf(deployments, { members, to: '2.0' }).get('a')).toEqual(state);
  });

  test.each<[string, RolloutDeployment, Partial<Member>, DeviceState | undefined]>([
    ['failed, and left its version', ended('failure', 1), { last: 'broken' }, failed('delta')],
    ['failed and left its version before', ended('failure', 3), { last: 'broken' }, failed('delta')],
    [
      'failed, and got other software since',
      ended('failure', 1),
      { version: '2.0', last: 'other' },
      failed('delta'),
    ],
    ['succeeded, and another update broke it', ended('success', 1), { last: 'broken' }, undefined],
    ['was broken, and succeeded', ended('success', 3), { last: 'broken' }, { kind: 'succeeded' }],
    [
      'succeeded, and got other software since',
      ended('success', 1),
      { version: '2.0', last: 'other' },
      { kind: 'succeeded' },
    ],
    [
      'succeeded, and reported no version since',
      ended('success', 1),
      { version: undefined },
      { kind: 'succeeded' },
    ],
  ])('that %s', (_, deployment, more, state) => {
    const members = [{ ...member('a'), updated: at(2), ...more }];
    expect(historyOf([deployment], { members, to: '2.0' }).get('a')).toEqual(state);
  });
});

const POLICY: RolloutPolicy = {
  ...{ to: '2.0', deviceTypes: ['qemu'], deltas: new Set(['1.0']), enterprise: false },
  ...{ fallback: true, maxFailures: undefined, phases: [1] },
};
const succeeded: DeviceState = { kind: 'succeeded' };
const asked: DeviceState = { kind: 'running', asked: true };
const silent: DeviceState = { kind: 'running', asked: false };
const failedDelta: DeviceState = { kind: 'failed', with: 'delta' };
const failedFull: DeviceState = { kind: 'failed', with: 'full' };

describe('the next step', () => {
  const fleet = (count: number): Member[] =>
    Array.from({ length: count }, (_, index) => member(String(index), '1.0'));
  const states = (...list: DeviceState[]) => list.map((state, index) => [String(index), state] as const);
  const full = { kind: 'full' };
  const delta = { kind: 'delta', base: '1.0' };
  const deploy = (given: object, ...devices: string[]) => ({ kind: 'deploy', given, devices });

  test.each([
    ['nothing without devices', [], [], {}, false, [{ kind: 'end' }]],
    [
      'a deployment for each version, full ones last',
      [member('c'), member('b', '0.9'), member('a', '1.0'), member('d', '2.0'), member('e', '1.0', 'rpi')],
      [],
      {},
      false,
      [deploy(delta, 'a'), deploy(full, 'b', 'c')],
    ],
    [
      'one for all on Enterprise',
      [member('b', '0.9'), member('a', '1.0')],
      [],
      { enterprise: true },
      false,
      [deploy({ kind: 'any' }, 'a', 'b')],
    ],
    ['waiting', fleet(2), states(succeeded, silent), {}, false, [{ kind: 'wait', running: 1 }]],
    ['the end', fleet(3), states(succeeded, failedFull, { kind: 'unfit' }), {}, false, [{ kind: 'end' }]],
    [
      'the end where the time is up for devices that never asked',
      fleet(2),
      states(succeeded, silent),
      {},
      true,
      [{ kind: 'end' }],
    ],
    [
      'the end where the time is up for a device in the middle of its update',
      fleet(2),
      states(succeeded, asked),
      {},
      true,
      [{ kind: 'end' }],
    ],
    [
      'the full artifact though a device went silent in the middle of its update',
      fleet(2),
      states(failedDelta, asked),
      {},
      true,
      [deploy(full, '0')],
    ],
    [
      'the next phase though a device went silent in the middle of its update',
      fleet(4),
      states(succeeded, asked),
      { phases: [0.5, 1] },
      true,
      [deploy(delta, '2', '3')],
    ],
    [
      'the full artifact for what failed with a delta',
      fleet(3),
      states(failedDelta, failedDelta, silent),
      {},
      false,
      [deploy(full, '0', '1')],
    ],
    [
      'it waits for those that are busy',
      fleet(2),
      states(failedDelta, asked),
      {},
      false,
      [{ kind: 'wait', running: 1 }],
    ],
    [
      'nothing for them without fallback',
      fleet(1),
      states(failedDelta),
      { fallback: false },
      false,
      [{ kind: 'end' }],
    ],
    ['what an interrupted run left', fleet(3), states(succeeded, silent), {}, false, [deploy(delta, '2')]],
    ['the first phase', fleet(10), [], { phases: [0.15, 1] }, false, [deploy(delta, '0', '1')]],
    ['the rest of a phase', fleet(10), states(silent), { phases: [0.15, 1] }, false, [deploy(delta, '1')]],
    [
      'waiting for a phase',
      fleet(10),
      states(succeeded, asked),
      { phases: [0.15, 1] },
      false,
      [{ kind: 'wait', running: 1 }],
    ],
    [
      'the next phase',
      fleet(4),
      states(succeeded, failedFull),
      { phases: [0.5, 1] },
      false,
      [deploy(delta, '2', '3')],
    ],
    [
      'the next phase without those that never asked',
      fleet(4),
      states(succeeded, silent),
      { phases: [0.5, 1] },
      true,
      [deploy(delta, '2', '3')],
    ],
    [
      'repair before the next phase',
      fleet(4),
      states(succeeded, failedDelta),
      { phases: [0.5, 1] },
      false,
      [deploy(full, '1')],
    ],
    [
      'a stop by a share',
      fleet(4),
      states(succeeded, failedFull),
      { maxFailures: { share: 0.4 } },
      false,
      [{ kind: 'stop', failed: 1, attempted: 2 }],
    ],
    [
      'none at the share itself',
      fleet(2),
      states(succeeded, failedFull),
      { maxFailures: { share: 0.5 } },
      false,
      [{ kind: 'end' }],
    ],
    [
      'a stop by a number',
      fleet(2),
      states(failedFull, silent),
      { maxFailures: { devices: 0 } },
      false,
      [{ kind: 'stop', failed: 1, attempted: 2 }],
    ],
    [
      'no stop for what may be repaired',
      fleet(1),
      states(failedDelta),
      { maxFailures: { devices: 0 } },
      false,
      [deploy(full, '0')],
    ],
  ] as const)('is %s', (_, members, history, more, overdue, steps) => {
    expect(decide(members, new Map(history), { ...POLICY, ...more }, overdue)).toEqual(steps);
  });

  test('splits ids into bodies that a server takes', () => {
    expect(requestSized(['aa', 'bb', 'cc'], 10)).toEqual([['aa', 'bb'], ['cc']]);
    expect(requestSized([])).toEqual([]);
    const ids = Array.from(
      { length: 100_000 },
      (_, index) => `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`,
    );
    const lists = requestSized(ids);
    expect(lists.flat()).toEqual(ids);
    expect(Math.max(...lists.map((list) => JSON.stringify(list).length))).toBeLessThan(1 << 20);
  });
});

function artifact(name: string, more: Partial<ReleaseArtifact> = {}): ReleaseArtifact {
  const facts = { deviceTypes: ['qemu'], bases: undefined, size: 100, modified: '' };
  return { id: name, name, version: '2.0', ...facts, ...more };
}

describe('the artifacts on a server', () => {
  const named: Named = { application: 'shop', to: '2.0', deviceTypes: ['qemu'], enterprise: false };
  const delta = artifact('shop-2.0-from-1.0', { bases: ['1.0'], size: 10 });
  const full = artifact('shop-2.0');

  test.each([
    ['a delta and a full one', [delta, full], named, ['1.0', undefined]],
    ['those of another version', [artifact('shop-1.0', { version: '1.0' })], named, []],
    ['those of some of the types', [full], { ...named, deviceTypes: ['qemu', 'rpi'] }, []],
    [
      'a full one that hides behind a delta of its name',
      [full, { ...delta, name: 'shop-2.0' }],
      named,
      ['1.0'],
    ],
    [
      'both where the server looks at depends',
      [full, { ...delta, name: 'shop-2.0' }],
      { ...named, enterprise: true },
      [undefined, '1.0'],
    ],
    ['a full one of its own name there', [artifact('shop-2.0-full')], { ...named, enterprise: true }, [null]],
  ] as const)('serve: %s', (_, artifacts, release, bases) => {
    expect([...stockOf(artifacts, release).keys()]).toEqual(bases);
  });

  test.each([
    [undefined, [], 'shop-2.0'],
    ['1.0', [], 'shop-2.0-from-1.0'],
    [undefined, [{ ...delta, name: 'shop-2.0' }], 'shop-2.0-full'],
    ['1.0', [{ ...full, name: 'shop-2.0-from-1.0' }], 'shop-2.0-from-1.0-delta'],
    [undefined, [artifact('shop-2.0', { deviceTypes: ['rpi'] })], 'shop-2.0'],
  ])('get the name of the next one: %s', (base, artifacts, name) => {
    expect(nameToBuild(base, artifacts, named)).toBe(name);
  });

  test('have one name on Enterprise, but for the full one that repairs', () => {
    const release = { ...named, enterprise: true };
    expect(['1.0', undefined, null].map((base) => nameToBuild(base, [], release))).toEqual([
      ...['shop-2.0', 'shop-2.0', 'shop-2.0-full'],
    ]);
    expect(baseGiven({ kind: 'full' }, release)).toBeNull();
    const stock = stockOf([{ ...delta, name: 'shop-2.0' }], release);
    expect(nameGiven({ kind: 'any' }, stock, release)).toBe('shop-2.0');
    expect(nameGiven({ kind: 'full' }, stock, release)).toBeUndefined();
  });

  test('say what a failure means', () => {
    const both = [delta, full, artifact('shop-1.0', { version: '1.0' })];
    expect([...rolesOf(both, named)]).toEqual([
      ['shop-2.0-from-1.0', { artifact: 'delta', version: '2.0' }],
      ['shop-2.0', { artifact: 'full', version: '2.0' }],
      ['shop-1.0', { artifact: 'other', version: '1.0' }],
    ]);
    const ownName = { ...delta, name: 'shop-2.0' };
    expect(rolesOf([full, ownName], named).get('shop-2.0')).toEqual({ artifact: 'delta', version: '2.0' });
    const twice = ['1.0', '0.9'].map((version) => artifact('shop', { version }));
    expect(rolesOf(twice, named).get('shop')).toEqual({ artifact: 'other', version: undefined });
  });
});

describe('options', () => {
  test.each([
    ['5%', { share: 0.05 }],
    ['0%', { share: 0 }],
    ['3', { devices: 3 }],
  ])('--max-failures %s', (text, threshold) => {
    expect(parseThreshold(text, '--max-failures')).toEqual(threshold);
  });
  test.each([
    ['100%', [1]],
    ['5%, 50%,100%', [0.05, 0.5, 1]],
  ])('--phases %s', (text, phases) => {
    expect(parsePhases(text, '--phases')).toEqual(phases);
  });
  test.each(['', '-1', '101%', '5 percent', '1.5'])('no --max-failures %j', (text) => {
    expect(() => parseThreshold(text, '--max-failures')).toThrow(UsageError);
  });
  test.each(['', '50%', '50%,20%,100%', '0%,100%', '5%,5%,100%', '5,100', '[{"batch_size": 5}]'])(
    'no --phases %j',
    (text) => {
      expect(() => parsePhases(text, '--phases')).toThrow(UsageError);
    },
  );
});

const END: RolloutEnd = {
  ...{
    current: [],
    succeeded: ['a'],
    running: [],
    failed: [],
    retry: [],
    unfit: [],
    open: [],
    busy: [],
    deployments: [],
    failedIn: [],
    logs: {},
  },
};
test.each([
  ['all have it', {}, undefined],
  ['some are of another type', { unfit: ['b'] }, undefined],
  [
    'all are of another type',
    { succeeded: [], unfit: ['b', 'c'] },
    'no artifact of shop 2.0 fits any of the devices: b, c',
  ],
  ['all of its type had it', { succeeded: [], current: ['a'], unfit: ['b'] }, undefined],
  ['some failed', { failed: ['b', 'c'] }, '2 devices failed to install shop 2.0: b, c'],
  ['some wait', { running: ['b'], open: ['c'] }, '2 devices have not installed shop 2.0 yet: b, c'],
  [
    'one went silent',
    { running: ['b', 'c'], busy: ['c'] },
    '2 devices have not installed shop 2.0 yet: b, c; went silent in the middle of it: c',
  ],
  [
    'it was stopped',
    { failed: ['b'], stopped: { failed: 1, attempted: 2 } },
    'the rollout of shop 2.0 was stopped: 1 of 2 devices failed (b)',
  ],
])('the end where %s', (_, more, message) => {
  expect(rolloutError({ ...END, ...more }, 'shop 2.0')?.message).toBe(message);
});

test.each([
  ['without deployments', [], 'deployments show latest'],
  ['in several deployments', ['first', 'second'], 'deployments show second'],
])('a failure %s names the one to look at', (_, failedIn, hint) => {
  const { hint: found } = rolloutError({ ...END, failed: ['b'], failedIn }, 'shop 2.0') ?? {};
  expect(found).toContain(hint);
});
