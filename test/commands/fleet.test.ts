import { describe, expect, test } from 'vitest';
import { devicesCommand } from '../../src/commands/fleet/devices.ts';
import { fleetCommand } from '../../src/commands/fleet/fleet.ts';
import { groupsCommand } from '../../src/commands/fleet/groups.ts';
import type { Command } from '../../src/commands/terminal/command.ts';
import { DeniedError, NotFoundError, UsageError } from '../../src/errors.ts';
import type { Device } from '../helpers/menderServer/state.ts';
import { runCommand } from '../helpers/menderServer/command.ts';
import type { MenderServer } from '../helpers/menderServer/menderServer.ts';
import { menderServer } from '../helpers/menderServer/menderServer.ts';

const KEY = 'rootfs-image.shop.version';
const DEVICES: Device[] = [
  { id: 'd1', type: 'qemu', group: 'staging', provides: { [KEY]: '1.0' }, checkIn: '2026-01-02T00:00:00Z' },
  { id: 'd2', type: 'qemu', group: 'staging', provides: { [KEY]: '0.9', 'a.other.version': '7' } },
  { id: 'd3', type: 'qemu', provides: {} },
];

function prepared(devices: Device[] = DEVICES): Promise<MenderServer> {
  return menderServer({ devices });
}

/** An artifact that is only described: nobody downloads it here. */
function addArtifact(
  server: MenderServer,
  name: string,
  version: string,
  base: string | undefined,
  size: number,
): void {
  server.state.artifacts.set(name, {
    ...{ id: name, name, size, description: '', modified: '2026-01-01T00:00:00Z', signed: false },
    ...{ info: { format: 'mender', version: 3 }, device_types_compatible: ['qemu'] },
    updates: [],
    artifact_provides: { artifact_name: name, [KEY]: version },
    artifact_depends: { device_type: ['qemu'], ...(base === undefined ? {} : { [KEY]: [base] }) },
    clears_artifact_provides: [],
  });
}

const run = (server: MenderServer, command: Command, argv: string, json = false) =>
  runCommand(server, command, argv.split(' '), { json });
const written = ({ bytes }: { bytes: Buffer }): string => bytes.toString();

describe('devices', () => {
  test('list', async () => {
    const server = await prepared();
    expect((await run(server, devicesCommand, 'list')).stdout).toBe(
      [
        'DEVICE  TYPE  GROUP    LAST SEEN   SOFTWARE',
        'd1      qemu  staging  2026-01-02  rootfs-image.shop.version=1.0',
        'd2      qemu  staging              a.other.version=7, rootfs-image.shop.version=0.9',
        'd3      qemu',
      ].join('\n'),
    );
    const one = await run(
      server,
      devicesCommand,
      'list -g staging --application shop --on-version 0.9',
      true,
    );
    expect(JSON.parse(written(one))).toEqual([
      {
        id: 'd2',
        type: 'qemu',
        group: 'staging',
        updated: expect.any(String) as string,
        versions: { [KEY]: '0.9' },
      },
    ]);
    expect(written(await run(server, devicesCommand, 'list --attribute tags/a=b', true))).toBe('[]\n');
    expect((await run(server, devicesCommand, 'list --attribute device_type=x')).stdout).toBe('no devices');
  });

  test('list shows more than one page of them', async () => {
    const many = Array.from({ length: 1200 }, (_, index) => ({
      id: `d${index}`,
      type: 'qemu',
      provides: {},
    }));
    const server = await prepared(many);
    const lines = (await run(server, devicesCommand, 'list')).stdout.split('\n');
    // The headings come three times.
    expect([lines.length, new Set(lines).size]).toEqual([1203, 1201]);
    expect(JSON.parse(written(await run(server, devicesCommand, 'list', true)))).toHaveLength(1200);
  });

  test('show', async () => {
    const server = await prepared();
    const { stdout } = await run(server, devicesCommand, 'show d1');
    expect(stdout).toMatch(/^device: d1\ntype: qemu\ngroup: staging\nlast seen: 2026-01-02\n\nSCOPE/);
    expect(stdout).toContain('inventory  rootfs-image.shop.version  1.0');
  });
});

test('groups list', async () => {
  const server = await prepared();
  expect((await run(server, groupsCommand, 'list')).stdout).toBe('GROUP    DEVICES\nstaging        2');
  expect((await run(await prepared([]), groupsCommand, 'list')).stdout).toBe('no groups');
});

describe('fleet status', () => {
  test('says what serves each version', async () => {
    const server = await prepared();
    addArtifact(server, 'shop-1.1', '1.1', undefined, 80_000_000);
    addArtifact(server, 'shop-1.1-from-1.0', '1.1', '1.0', 2_000_000);
    const status = await run(server, fleetCommand, 'status shop --link 100kbit');
    expect(status.error).toBeUndefined();
    expect(status.stdout.split('\n')).toEqual([
      'shop: 3 devices (all devices)',
      `version key: ${KEY}`,
      'update to: 1.1',
      '',
      'VERSION  TYPE  DEVICES  LAST SEEN   SERVED BY                     EACH   IN ALL   TIME',
      '1.0      qemu        1  2026-01-02  shop-1.1-from-1.0 (delta)  2.00 MB  2.00 MB  3 min',
      '0.9      qemu        1              shop-1.1 (full)            80.0 MB  80.0 MB  1.8 h',
      'unknown  qemu        1              shop-1.1 (full)            80.0 MB  80.0 MB  1.8 h',
      '',
      'in all: 162 MB',
      'a delta would save bytes for: 0.9',
    ]);
    expect(status.log).toContain('shop-1.1 may not arrive: the client gives up after 10 interruptions');
    expect(status.log).not.toContain('shop-1.1-from-1.0 may not arrive');
  });

  test('ends with the command that serves the others', async () => {
    const server = await prepared();
    addArtifact(server, 'shop-1.1-from-1.0', '1.1', '1.0', 5);
    const { stdout } = await run(server, fleetCommand, 'status shop -g staging --to 1.1');
    expect(stdout.split('\n').slice(-2)).toEqual([
      'no artifact serves 1 device',
      'next: mender-docker-delta rollout COMPOSE-FILE --artifact-version 1.1 --device-group staging',
    ]);
  });

  test('as JSON, for a group and a version', async () => {
    const server = await prepared();
    addArtifact(server, 'shop-1.0', '1.0', undefined, 10);
    addArtifact(server, 'shop-1.1-from-1.0', '1.1', '1.0', 5);
    const { stdout } = await run(server, fleetCommand, 'status shop -g staging --to 1.1', true);
    expect(JSON.parse(stdout)).toMatchObject({
      ...{ application: 'shop', versionKey: KEY, group: 'staging', to: '1.1', devices: 2, bytes: 5 },
      ...{ withoutDelta: [], unserved: 1, denied: [] },
      versions: [
        { version: '1.0', served: 'delta', artifact: { name: 'shop-1.1-from-1.0' } },
        { version: '0.9', served: 'missing', artifact: null, bytes: null },
      ],
    });
  });

  test('goes on without the right to read devices, and says so', async () => {
    const server = await prepared();
    addArtifact(server, 'shop-1.1', '1.1', undefined, 80);
    server.faults.plan(/inventory/, { kind: 'status', status: 403 }, 99);
    const { stdout, error } = await run(server, fleetCommand, 'status shop');
    expect(error).toBeInstanceOf(DeniedError);
    expect(error?.message).toMatch(/incomplete: listing the attributes of devices: .* answered 403/);
    expect(stdout).toContain('update to: 1.1');
  });

  test('goes on without the right to read artifacts', async () => {
    const server = await prepared();
    server.faults.plan(/artifacts/, { kind: 'status', status: 403 }, 99);
    const { stdout, error } = await run(server, fleetCommand, 'status shop');
    expect(error).toBeInstanceOf(DeniedError);
    expect(stdout).toContain('shop: 3 devices');
    expect(stdout).toMatch(/1\.0 .* missing/);
  });

  const twice: Device[] = [
    { id: 'a', type: 'qemu', provides: { [KEY]: '1' } },
    { id: 'b', type: 'qemu', provides: { 'data.shop.version': '1' } },
  ];
  test.each([
    ['an unknown group', 'status shop -g nobody', NotFoundError, /no device group nobody/],
    ['an unknown application', 'status nothing', NotFoundError, /no device reports a version of nothing/],
    ['an unknown version', 'status shop --to 9', NotFoundError, /no artifact that brings shop 9/],
    ['a wrong rate', 'status shop --link fast', UsageError, /--link "fast": expected a rate/],
  ])('of %s', async (_, argv, type, message) => {
    const { error } = await run(await prepared(), fleetCommand, argv);
    expect(error).toBeInstanceOf(type);
    expect(error?.message).toMatch(message);
  });

  test('of two applications of one name, unless one is chosen', async () => {
    const server = await prepared(twice);
    const { error } = await run(server, fleetCommand, 'status shop');
    expect(error).toBeInstanceOf(UsageError);
    expect(error?.hint).toBe('choose one with --version-key');
    const { stdout } = await run(server, fleetCommand, 'status shop --version-key data.shop.version', true);
    expect(JSON.parse(stdout)).toMatchObject({ versionKey: 'data.shop.version', devices: 2 });
  });

  test.each([
    ['devices show', devicesCommand, 'show', UsageError],
    ['devices show x', devicesCommand, 'show x', NotFoundError],
    ['an attribute without a value', devicesCommand, 'list --attribute x', UsageError],
    ['an unknown scope', devicesCommand, 'list --attribute nowhere/x=1', UsageError],
    ['an unknown group', devicesCommand, 'list -g nobody', NotFoundError],
  ])('%s', async (_, command, argv, type) => {
    expect((await run(await prepared(), command, argv)).error).toBeInstanceOf(type);
  });
});
