import { expect, test } from 'vitest';
import { devicesAhead, withDeployments } from '../../../src/pipeline/rollout/earlier.ts';
import { isOnlyFor } from '../../../src/pipeline/rollout/ending.ts';
import type { RolloutDeployment } from '../../../src/pipeline/rollout/history.ts';

const at = (hour: number): string => `2026-05-01T0${hour}:00:00.000Z`;

/** A deployment to device `a`. `hour`: when the device ended it. */
function deployment(
  version: string,
  status: string | undefined,
  more: Partial<RolloutDeployment> & { hour?: number } = {},
): RolloutDeployment {
  const { hour, ...rest } = more;
  return {
    ...{
      id: `of ${version}`,
      artifactName: `shop-${version}`,
      version,
      finished: false,
      targets: ['a', 'x'],
    },
    artifact: version === '2.0' ? 'delta' : 'other',
    statuses: new Map(status === undefined ? [] : [['a', status]]),
    ended: new Map(hour === undefined ? [] : [['a', at(hour)]]),
    ...rest,
  };
}

const DONE = { finished: true };
const old = (status: string | undefined, more = {}) => deployment('1.1', status, more);
const own = (status: string | undefined, more = {}) => deployment('2.0', status, more);

test.each<[string, RolloutDeployment[], string | undefined, string[]]>([
  ['nothing was deployed', [], '1.0', []],
  ['another version waits for it', [old(undefined)], undefined, ['of 1.1']],
  ['another version waits for it, as the server says', [old('pending')], undefined, ['of 1.1']],
  ['it installs another version', [old('downloading')], undefined, ['of 1.1']],
  ['another version waits for another device', [old(undefined, { targets: ['x'] })], '1.0', []],
  ['the deployment was aborted', [old(undefined, DONE)], '1.0', []],
  ['it was aborted for the device', [old('aborted')], '1.0', []],
  ['it refused another version', [old('failure', { hour: 3 })], '1.0', []],
  ['it has missed another version', [old(undefined), own('success', { hour: 3 })], '2.0', []],
  ['it has refused a later one', [old(undefined), own('failure', { hour: 3 })], '1.0', []],
  ['a later one was aborted', [old(undefined), own('aborted', DONE)], undefined, ['of 1.1']],
  ['it is at an older one', [old('installing'), own('success', { hour: 1 })], undefined, ['of 1.1']],
  ['this version waits for it', [own(undefined)], '1.0', []],
  ['it got another version since its report', [old('success', { hour: 3 })], '1.1', []],
  ['it reported since it got another version', [old('success', { hour: 1 })], '1.0', []],
  ['nobody knows when it got another version', [old('success')], '1.0', []],
  [
    'it got two versions since its report',
    [old('success', { hour: 3 }), deployment('1.2', 'already-installed', { hour: 4 })],
    '1.2',
    [],
  ],
  [
    'it got one of several versions since its report',
    [old('success', { hour: 3, version: undefined })],
    undefined,
    [],
  ],
  [
    'several versions wait for it',
    [old(undefined), deployment('1.2', undefined)],
    undefined,
    ['of 1.1', 'of 1.2'],
  ],
])('a device that reported 1.0, where %s', (_, deployments, version, ahead) => {
  const members = ['a', 'b'].map((id) => ({ id, type: 'qemu', version: '1.0', updated: at(2) }));
  expect(withDeployments(members, deployments)).toEqual([{ ...members[0], version }, members[1]]);
  const found = devicesAhead(deployments, members);
  expect([...found].map(([{ id }, devices]) => [id, devices])).toEqual(ahead.map((id) => [id, ['a']]));
});

test.each([
  ['all devices of the rollout', ['a', 'b'], {}, true],
  ['some of them', ['b'], {}, true],
  ['others as well', ['a', 'x'], {}, false],
  ['one that is no longer there', ['a', 'x'], { x: 'decommissioned' }, true],
])('a deployment for %s', (_, targets, statuses, only) => {
  const found = isOnlyFor({ targets, statuses: new Map(Object.entries(statuses)) }, new Set(['a', 'b']));
  expect(found).toBe(only);
});
