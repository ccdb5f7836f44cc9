import { describe, expect, test } from 'vitest';
import { UsageError } from '../../../src/errors.ts';
import { takeCensus, versionOf } from '../../../src/pipeline/fleet/census.ts';
import type { FleetDevice } from '../../../src/pipeline/fleet/devices.ts';
import { judgeLast, otherSoftware } from '../../../src/pipeline/fleet/lastArtifact.ts';
import { formatDuration, linkBudget, linkWarning, parseRate } from '../../../src/pipeline/fleet/link.ts';
import type { ReleaseArtifact } from '../../../src/pipeline/fleet/releaseArtifacts.ts';
import {
  fitsDevice,
  newestVersion,
  releaseArtifacts,
  smallestFor,
} from '../../../src/pipeline/fleet/releaseArtifacts.ts';
import { memberOf } from '../../../src/pipeline/rollout/members.ts';
import { judgeFleet } from '../../../src/pipeline/fleet/status.ts';
import { candidateKeys, onlyKey } from '../../../src/pipeline/fleet/versionKeys.ts';
import type { Artifact } from '../../../src/server/artifacts.ts';

const KEY = 'rootfs-image.shop.version';
const inventory = (attribute: string) => ({ scope: 'inventory', attribute });

describe('the keys of an application', () => {
  const DOCKER = 'data-docker.mender-docker-compose.shop.version';
  const usual = [DOCKER, 'rootfs-image.mender-docker-compose.shop.version', KEY];
  test.each([
    ['the usual ones, also where no device has them', [], usual],
    [
      'those of another file system',
      ['data-docker.shop.version'],
      [DOCKER, 'data-docker.shop.version', ...usual.slice(1)],
    ],
    ['none of other applications', ['rootfs-image.shop2.version', 'rootfs-image.myshop.version'], usual],
    ['none of other attributes', ['shop.version', 'kernel'], usual],
  ])('are %s', (_, known, keys) => {
    expect(candidateKeys('shop', known.map(inventory))).toEqual(keys);
  });

  test('are those of all applications without one', () => {
    const known = [
      ...['rootfs-image.version', KEY, 'kernel'].map(inventory),
      { scope: 'tags', attribute: 'a.b.version' },
    ];
    expect(candidateKeys(undefined, known)).toEqual([KEY]);
  });

  test('are one in use, or an error that names them', () => {
    expect(onlyKey('shop', new Map([[KEY, 0]]))).toBeUndefined();
    expect(
      onlyKey(
        'shop',
        new Map([
          [KEY, 3],
          ['b.shop.version', 0],
        ]),
      ),
    ).toBe(KEY);
    const twice = () =>
      onlyKey(
        'shop',
        new Map([
          [KEY, 3],
          ['b.shop.version', 1],
        ]),
      );
    expect(twice).toThrow(UsageError);
    expect(twice).toThrow('b.shop.version (1 device), rootfs-image.shop.version (3 devices)');
  });
});

function device(version: string | string[] | undefined, more: Partial<FleetDevice> = {}): FleetDevice {
  const versions = version === undefined ? {} : { [KEY]: version };
  return {
    id: 'd',
    type: 'qemu',
    group: undefined,
    checkIn: undefined,
    updated: undefined,
    lastArtifact: undefined,
    versions,
    ...more,
  };
}

async function* stream<T>(items: readonly T[]): AsyncGenerator<T> {
  for (const item of items) yield await Promise.resolve(item);
}

test.each([
  ['no version', undefined, undefined],
  ['one', '1.0', '1.0'],
  ['a list of one', ['1.0'], '1.0'],
  ['several', ['1.0', '2.0'], undefined],
])('a device with %s', (_, reported, version) => {
  expect(versionOf(device(reported))).toBe(version);
});

test('a census counts devices by version and type, most first', async () => {
  const fleet = [
    device('1.0', { checkIn: '2026-01-02T00:00:00Z' }),
    device('2.0'),
    device('1.0', { checkIn: '2026-01-03T00:00:00+00:00' }),
    device('1.0', { type: 'rpi' }),
    device(undefined, { type: undefined }),
  ];
  const { devices, versionKey, populations } = await takeCensus('shop', [KEY], stream(fleet));
  expect([devices, versionKey]).toEqual([5, KEY]);
  expect(populations[0]).toEqual({
    ...{ version: '1.0', type: 'qemu', devices: 2 },
    lastCheckIn: '2026-01-03T00:00:00+00:00',
  });
  expect(populations.slice(1).map((one) => one.devices)).toEqual([1, 1, 1]);
});

test.each([
  ['a good update', 'shop-2.0', undefined, '2.0'],
  ['no name of an artifact', undefined, undefined, '2.0'],
  ['a broken update', 'shop-2.0_INCONSISTENT', 'broken', undefined],
  ['a broken update that the server no longer has', 'gone-2.0_INCONSISTENT', 'broken', undefined],
  ['other software', 'blog-1.0', 'other', '2.0'],
  ['a broken update of other software', 'blog-1.0_INCONSISTENT', 'other', '2.0'],
  ['a name that other software shares', 'shared_INCONSISTENT', 'broken', undefined],
  ['an artifact whose provides nobody knows', 'old_INCONSISTENT', 'broken', undefined],
])('a device that reports %s', async (_, lastArtifact, judged, version) => {
  const other = { 'rootfs-image.blog.version': '1.0' };
  const others = otherSoftware(
    [
      { name: 'shop-2.0', artifact_provides: { [KEY]: '2.0' } },
      { name: 'blog-1.0', artifact_provides: other },
      { name: 'shared', artifact_provides: other },
      { name: 'shared', artifact_provides: { [KEY]: '2.0' } },
      { name: 'old', artifact_provides: undefined },
    ],
    [KEY],
  );
  const reporting = device('2.0', { lastArtifact });
  expect(judgeLast(reporting, others)).toBe(judged);
  const { populations } = await takeCensus('shop', [KEY], stream([reporting]), others);
  expect(populations).toMatchObject([{ version, devices: 1 }]);
  expect(memberOf(reporting, { key: KEY, others })).toMatchObject({ version, last: judged });
});

function artifact(name: string, more: Partial<ReleaseArtifact> = {}): ReleaseArtifact {
  const facts = { deviceTypes: ['qemu'], bases: undefined, size: 100, modified: '2026-01-01T00:00:00Z' };
  return { id: name, name, version: '2.0', ...facts, ...more };
}

const delta = artifact('delta', { bases: ['1.0'], size: 10 });
const full = artifact('full');

test.each([
  ['a delta to its base', { version: '1.0', type: 'qemu' }, 'delta'],
  ['a full one to another version', { version: '0.9', type: 'qemu' }, 'full'],
  ['a full one to an unknown version', { version: undefined, type: 'qemu' }, 'full'],
  ['nothing to another type', { version: '1.0', type: 'rpi' }, undefined],
  ['nothing to an unknown type', { version: '1.0', type: undefined }, undefined],
])('gives %s', (_, to, name) => {
  expect(smallestFor([full, delta], to)?.name).toBe(name);
});

test('artifacts of a version, as the server describes them', () => {
  const described = (provides: Record<string, string>, depends: Record<string, string[]>): Artifact => ({
    ...{ id: 'a', name: 'a', device_types_compatible: ['qemu'], modified: '2026-01-01T00:00:00Z', size: 1 },
    ...{ artifact_provides: provides, artifact_depends: { device_type: ['qemu'], ...depends } },
  });
  const read = releaseArtifacts(
    [
      described({ [KEY]: '2.0' }, { [KEY]: ['1.0', '1.1'] }),
      described({ [KEY]: '2.0' }, {}),
      described({ 'rootfs-image.other.version': '2.0' }, {}),
      described({ [KEY]: '2.0' }, { [KEY]: ['1.0'], artifact_name: ['shop-1.0'] }),
    ],
    KEY,
  );
  expect(read.map(({ version, bases }) => [version, bases])).toEqual([
    ['2.0', ['1.0', '1.1']],
    ['2.0', undefined],
  ]);
  expect(fitsDevice(read[0]!, { version: '1.1', type: 'qemu' })).toBe(true);
});

test('the newest version is that of the artifact that was changed last', () => {
  expect(newestVersion([])).toBeUndefined();
  const later = artifact('b', { version: '1.9', modified: '2026-02-01T00:00:00+01:00' });
  expect(newestVersion([full, later])).toBe('1.9');
});

test('a fleet is judged by version', () => {
  const of = (version: string | undefined, devices: number, type: string | undefined = 'qemu') => ({
    version,
    type,
    devices,
    lastCheckIn: undefined,
  });
  const populations = [of('1.0', 10), of('0.9', 3), of(undefined, 2), of('2.0', 4), of('1.0', 1, 'rpi')];
  const census = { versionKey: KEY, devices: 20, populations };
  const status = judgeFleet(
    { application: 'shop' },
    census,
    [full, delta, artifact('old', { version: '1.0' })],
    '2.0',
  );
  expect(status.versions.map(({ served, artifact: found, bytes }) => [served, found?.name, bytes])).toEqual([
    ['delta', 'delta', 100],
    ['full', 'full', 300],
    ['full', 'full', 200],
    ['current', undefined, 0],
    ['missing', undefined, null],
  ]);
  expect(status).toMatchObject({ bytes: 600, withoutDelta: ['0.9'], unserved: 1, to: '2.0', group: null });
});

describe('a link', () => {
  test.each([
    ['100kbit', 100_000],
    ['1.5Mbit', 1_500_000],
    ['2 Gbit/s', 2e9],
    ['300bit', 300],
  ])('of %s', (text, rate) => {
    expect(parseRate(text, '--link')).toBe(rate);
  });

  test.each(['', '100', '0kbit', '-1kbit', '100kB', 'fast', '1e3kbit'])('is not %j', (text) => {
    expect(() => parseRate(text, '--link')).toThrow(UsageError);
  });

  test('makes a large artifact unlikely to arrive', () => {
    const large = linkBudget(83_400_000, 100_000);
    expect(large).toMatchObject({ seconds: 6672, unlikely: true });
    expect(linkWarning('shop-1', large)).toMatch(/shop-1 may not arrive: .* ten|10 interruptions.* 18 min/);
    expect(linkWarning('shop-1', linkBudget(83_400_000, 10_000_000))).toBeUndefined();
  });

  test.each([
    [0, '1 s'],
    [45, '45 s'],
    [700, '12 min'],
    [12_600, '3.5 h'],
    [181_440, '2.1 d'],
  ])('that takes %d s is shown as %s', (seconds, text) => {
    expect(formatDuration(seconds)).toBe(text);
  });
});
