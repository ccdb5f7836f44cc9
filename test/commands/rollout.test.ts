import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { CliRun } from '../helpers/cli.ts';
import { runCli } from '../helpers/cli.ts';
import { buildImage, writeOciArchive } from '../helpers/images.ts';
import { Fleet } from '../helpers/menderServer/fleet.ts';
import type { Device, ServerOptions } from '../helpers/menderServer/state.ts';
import type { MenderServer } from '../helpers/menderServer/menderServer.ts';
import { menderServer } from '../helpers/menderServer/menderServer.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

const KEY = 'rootfs-image.shop.version';
const CREATE = /^POST .*\/deployments$/;

const text = (seed: number): Buffer =>
  Buffer.from(Array.from({ length: 900 }, (_, n) => `line ${n * seed}\n`).join(''));
const images = [1, 2, 3].map((seed) => buildImage({ layers: [{ base: text(7) }, { app: text(seed) }] }));

interface Shop {
  server: MenderServer;
  /** Builds version N.0 whole and uploads it. */
  release: (version: 1 | 2 | 3) => Promise<CliRun>;
  rollout: (version: 1 | 2 | 3, ...flags: string[]) => Promise<CliRun>;
  /** Lets the tag of a version mean the image of another one. */
  moveTag: (version: 1 | 2 | 3, other: 1 | 2 | 3) => void;
}

async function shop(devices: Device[], options: ServerOptions = {}): Promise<Shop> {
  const server = await menderServer({ devices, ...options });
  const folder = temporaryFolder();
  const moveTag: Shop['moveTag'] = (version, other) =>
    writeOciArchive(join(folder, `${version}.tar`), { [`shop/web:${version}`]: images[other - 1]! });
  for (const version of [1, 2, 3] as const) moveTag(version, version);
  const run = (command: string, version: number, flags: string[]): Promise<CliRun> => {
    const settings = 'x-mender: {device-type: qemu, platform: linux/amd64, manifest-name: shop, module: app}';
    const services = `services:\n  web: {image: "shop/web:${version}"}\n`;
    writeFileSync(join(folder, 'compose.yaml'), `${settings}\n${services}`);
    const own = ['--artifact-version', `${version}.0`, '-f', `web=${join(folder, `${version}.tar`)}`];
    const where = ['--cache-dir', join(folder, 'cache'), '--writer', 'embedded'];
    return runCli([command, join(folder, 'compose.yaml'), ...own, ...where, ...flags], {
      HOME: folder,
      MENDER_PAT: server.token,
      MENDER_DOCKER_DELTA_MENDER_HOST: server.url,
    });
  };
  return {
    ...{ server, moveTag },
    release: (version) => run('build', version, ['--no-delta', '-a', join(folder, `${version}.mender`)]),
    rollout: (version, ...flags) => run('rollout', version, ['--poll-interval', '0.02s', ...flags]),
  };
}

const device = (id: string, version: string | undefined, more: Partial<Device> = {}): Device => {
  const provides: Record<string, string> = version === undefined ? {} : { [KEY]: version };
  return { id, type: 'qemu', group: 'g', provides, ...more };
};
const FLEET = [
  device('a', '1.0'),
  device('b', '1.0'),
  device('c', '2.0'),
  device('d', undefined),
  device('e', '3.0'),
];

/** Moves the devices on until the work is done. */
async function whileFleetRuns<T>(
  { server }: Shop,
  work: Promise<T>,
  failure = 0,
): Promise<{ fleet: Fleet; result: T }> {
  const chances = { failure, late: 0, vanish: 0, other: 0 };
  const fleet = new Fleet(server, { key: KEY, random: Math.random, chances });
  const timer = setInterval(() => fleet.step(), 5);
  try {
    return { fleet, result: await work };
  } finally {
    clearInterval(timer);
  }
}

const namesOf = ({ server }: Shop): string[] =>
  [...server.state.artifacts.values()].map(({ name }) => name).sort();
const targetsOf = ({ server }: Shop) =>
  Object.fromEntries([...server.state.deployments.values()].map((one) => [one.artifact_name, one.targets]));

describe('rollout', () => {
  test(
    'brings a release to devices of all versions, and finds nothing left to do',
    { timeout: 180_000 },
    async () => {
      const place = await shop(FLEET.map((one) => ({ ...one })));
      for (const version of [1, 2] as const) expect((await place.release(version)).code).toBe(0);

      const dry = await place.rollout(3, '-g', 'g', '--dry-run', '--json');
      expect(dry.stderr).not.toContain('error');
      expect(JSON.parse(dry.stdout)).toMatchObject({
        ...{
          application: 'shop',
          version: '3.0',
          versionKey: KEY,
          devices: 5,
          current: 1,
          underway: 0,
          unfit: 0,
        },
        deliveries: [
          { base: '1.0', artifact: 'shop-3.0-from-1.0', devices: 2, state: 'upload', atMost: true },
          { base: '2.0', artifact: 'shop-3.0-from-2.0', devices: 1, state: 'upload', atMost: true },
          { base: null, artifact: 'shop-3.0', devices: 1, state: 'upload' },
        ],
      });
      expect([namesOf(place), targetsOf(place)]).toEqual([['shop-1.0', 'shop-2.0'], {}]);

      const { result, fleet } = await whileFleetRuns(place, place.rollout(3, '-g', 'g'));
      expect(result.stderr).not.toContain('error');
      expect(result.stdout).toMatch(/shop 3\.0: have it now: 4, had it before: 1\n$/);
      expect(result.code).toBe(0);
      expect(targetsOf(place)).toEqual({
        'shop-3.0-from-1.0': ['a', 'b'],
        'shop-3.0-from-2.0': ['c'],
        'shop-3.0': ['d'],
      });
      expect(fleet.given.every(({ met, outcome }) => met && outcome === 'success')).toBe(true);

      const again = await place.rollout(3, '-g', 'g');
      expect([again.code, place.server.state.deployments.size, namesOf(place).length]).toEqual([0, 3, 5]);
      expect(again.stdout).toContain('nothing to send');
    },
  );

  test('brings a version back that another one has replaced', { timeout: 300_000 }, async () => {
    const place = await shop(['a', 'b'].map((id) => device(id, '1.0')));
    for (const version of [1, 2] as const) expect((await place.release(version)).code).toBe(0);
    for (const version of [2, 1, 2] as const) {
      const { result } = await whileFleetRuns(place, place.rollout(version, '-g', 'g'));
      expect([result.code, result.stderr]).toEqual([0, expect.not.stringContaining('error')]);
      expect(result.stdout).toContain('have it now: 2');
      const reported = [...place.server.state.devices.values()].map(({ provides }) => provides[KEY]);
      expect(reported).toEqual([`${version}.0`, `${version}.0`]);
    }
  });

  test.each([
    ['all devices are', ['a', 'b'], 9, /no artifact of shop 2\.0 fits any of the devices: a, b/],
    ['one device is', ['b'], 0, /warning: nothing is sent to 1 device that no artifact fits: b/],
  ])('says when %s of another type', { timeout: 120_000 }, async (_, others, code, message) => {
    const place = await shop(
      ['a', 'b'].map((id) => device(id, '1.0', others.includes(id) ? { type: 'rpi' } : {})),
    );
    const { result } = await whileFleetRuns(place, place.rollout(2, '-g', 'g'));
    expect([result.code, result.stderr]).toEqual([code, expect.stringMatching(message)]);
    expect(result.stdout).toContain(`no artifact fits: ${others.length}`);
  });

  test('takes a base from the server', async () => {
    const place = await shop([device('a', '1.0')]);
    await place.release(1);
    const dry = await place.rollout(3, '-g', 'g', '--dry-run', '--json', '--base', 'mender://shop-1.0');
    expect([dry.code, dry.stderr]).toEqual([0, expect.not.stringContaining('error')]);
    expect(JSON.parse(dry.stdout)).toMatchObject({
      deliveries: [{ base: '1.0', artifact: 'shop-3.0-from-1.0', devices: 1 }],
    });
  });

  test('makes one deployment where the server chooses', { timeout: 120_000 }, async () => {
    const place = await shop(
      FLEET.map((one) => ({ ...one })),
      { enterprise: true },
    );
    await place.release(1);
    const { result, fleet } = await whileFleetRuns(
      place,
      place.rollout(3, '--all-devices', '--server-kind', 'enterprise'),
    );
    expect(result.code).toBe(0);
    expect(targetsOf(place)).toEqual({ 'shop-3.0': ['a', 'b', 'c', 'd'] });
    expect(fleet.given.map(({ device: id, met }) => [id, met]).sort()).toEqual(
      ['a', 'b', 'c', 'd'].map((id) => [id, true]),
    );
  });

  test('repairs devices that failed with a delta, once', { timeout: 120_000 }, async () => {
    const place = await shop([device('a', '1.0')]);
    await place.release(1);
    const { result, fleet } = await whileFleetRuns(place, place.rollout(3, '--devices', 'a'), 1);
    expect(result.code).toBe(9);
    expect(result.stderr).toContain('1 device failed to install shop 3.0: a');
    expect(fleet.given).toHaveLength(2);
    expect(Object.keys(targetsOf(place))).toEqual(['shop-3.0-from-1.0', 'shop-3.0']);
    for (const { reports } of place.server.state.deployments.values())
      reports.get('a')!.log = 'no space left';
    const again = await place.rollout(3, '--devices', 'a');
    expect([again.code, place.server.state.deployments.size]).toEqual([9, 2]);
    expect(again.stdout).toContain('log of a:\n  | no space left');
  });

  test.each([
    ['open-source', 'shop-3.0'],
    ['enterprise', 'shop-3.0-full'],
  ])(
    'plans the full artifact that a device gets which failed with a delta: %s',
    { timeout: 180_000 },
    async (kind, artifact) => {
      const place = await shop([device('a', '1.0')], { enterprise: kind === 'enterprise' });
      await place.release(1);
      const target = ['--devices', 'a', '--server-kind', kind];
      const first = place.rollout(3, ...target, '--fallback', 'none');
      expect((await whileFleetRuns(place, first, 1)).result.code).toBe(9);
      const dry = await place.rollout(3, ...target, '--dry-run', '--json');
      expect(JSON.parse(dry.stdout)).toMatchObject({
        ...{ retries: 1, underway: 0 },
        deliveries: [{ base: null, artifact, devices: 1, state: 'upload' }],
      });
      expect((await whileFleetRuns(place, place.rollout(3, ...target))).result.code).toBe(0);
      expect(targetsOf(place)).toHaveProperty([artifact], ['a']);
    },
  );

  test('repairs a device that reports the version of its failed update', { timeout: 180_000 }, async () => {
    const place = await shop([device('a', '1.0')]);
    await place.release(1);
    const first = place.rollout(3, '--devices', 'a', '--fallback', 'none');
    expect((await whileFleetRuns(place, first, 1)).result.code).toBe(9);
    const broken = place.server.state.devices.get('a')!;
    broken.provides = { [KEY]: '3.0', artifact_name: 'shop-3.0-from-1.0_INCONSISTENT' };
    broken.updated = new Date().toISOString();
    const without = await place.rollout(3, '--devices', 'a', '--fallback', 'none');
    expect([without.code, without.stderr]).toEqual([9, expect.stringContaining('failed to install')]);
    const { result, fleet } = await whileFleetRuns(place, place.rollout(3, '--devices', 'a'));
    expect([result.code, result.stdout]).toEqual([0, expect.stringContaining('have it now: 1')]);
    expect(fleet.given.map(({ outcome }) => outcome)).toEqual(['success']);
    expect(targetsOf(place)).toHaveProperty(['shop-3.0'], ['a']);
  });

  test('refuses other images under a version that the server has', async () => {
    const place = await shop([device('a', '1.0')]);
    await place.release(1);
    place.moveTag(1, 3);
    const moved = await place.rollout(1, '--devices', 'a', '--dry-run');
    expect([moved.code, moved.stderr]).toEqual([
      2,
      expect.stringContaining('shop-1.0 on the server has version 1.0 with other images: web'),
    ]);
  });

  test('says when devices do not ask', { timeout: 120_000 }, async () => {
    const place = await shop([device('a', undefined)]);
    const run = await place.rollout(2, '-g', 'g', '--wait-timeout', '0.2s');
    expect(run.code).toBe(9);
    expect(run.stderr).toContain('1 device has not installed shop 2.0 yet: a');
    expect(run.stderr).toContain('run the same command again');
  });

  test.each([
    ['an unknown group', ['-g', 'nobody'], 3, 'no device group nobody'],
    ['an unknown device', ['--devices', 'a,x'], 3, 'there is no device x on'],
    ['a device that is not accepted', ['--devices', 'a,waits'], 3, 'has no accepted device waits\n'],
    ['no target', [], 2, 'expected one of --device-group'],
    ['two targets', ['-g', 'g', '--all-devices'], 2, 'expected one of --device-group'],
    ['no devices for a delta', ['-g', 'g', '--min-devices', '0'], 2, '--min-devices 0'],
    ['wrong phases', ['-g', 'g', '--phases', '5'], 2, 'growing shares'],
    ['a wrong threshold', ['-g', 'g', '--max-failures', 'x'], 2, 'expected a share like 5%'],
    ['a wrong link', ['-g', 'g', '--link', 'x'], 2, 'expected a rate'],
  ])('refuses %s', async (_, flags, code, message) => {
    const place = await shop([device('a', '1.0'), device('waits', undefined, { status: 'pending' })]);
    const run = await place.rollout(2, ...flags);
    expect([run.code, run.stderr]).toEqual([code, expect.stringContaining(message)]);
    expect(place.server.calls.filter((call) => CREATE.test(call))).toEqual([]);
  });

  test('says plainly what is missing without the right to read devices', async () => {
    const place = await shop([device('a', '1.0')]);
    place.server.faults.plan(/inventory/, { kind: 'status', status: 403 }, 99);
    const run = await place.rollout(2, '-g', 'g');
    expect(run.code).toBe(4);
    expect(run.stderr).toContain('a rollout must know which device runs which version');
  });

  test.each<[string, string[], number, RegExp]>([
    ['is an error', [], 2, /2 devices of the target report shop as rootfs-image\.shop\.version/],
    ['can be wanted', ['--allow-key-change'], 0, /no device of the target reports a version of shop/],
  ])('with another module than devices have %s', async (_, more, code, message) => {
    const place = await shop([device('a', '1.0'), device('b', '1.0')]);
    const run = await place.rollout(2, '-g', 'g', '--dry-run', '--module', 'docker-compose', ...more);
    expect([run.code, run.stderr]).toEqual([code, expect.stringMatching(message)]);
  });

  test('knows a key that the sample of the server lacks', async () => {
    const key = 'my-data.shop.version';
    const others = Array.from({ length: 5000 }, (_, index) => device(`d${index}`, undefined, { group: 'x' }));
    const own = device('z', undefined, { provides: { [key]: '1.0' } });
    const place = await shop([...others, own]);
    const flags = ['-g', 'g', '--dry-run', '--json', '--software-filesystem', 'my-data'];
    const run = await place.rollout(2, ...flags);
    expect([run.code, run.stderr]).toEqual([0, expect.stringContaining('the images of 1.0 are not known')]);
    expect(JSON.parse(run.stdout)).toMatchObject({ versionKey: key });
  });

  test('of two applications of one name must know which', async () => {
    const other = device('b', undefined, { provides: { 'data.shop.version': '1.0' } });
    const run = await (await shop([device('a', '1.0'), other])).rollout(2, '-g', 'g');
    expect([run.code, run.stderr]).toEqual([
      2,
      expect.stringContaining('several applications have the name shop'),
    ]);
  });
});
