import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { readArtifact } from '../../../src/mender/read/read.ts';
import type { BuiltImage } from '../../helpers/images.ts';
import { buildImage } from '../../helpers/images.ts';
import { simulateDevice } from '../../helpers/menderServer/device.ts';
import type { MenderServer } from '../../helpers/menderServer/menderServer.ts';
import { menderServer } from '../../helpers/menderServer/menderServer.ts';
import type { RunningRegistry } from '../../helpers/registry.ts';
import { push, startRegistry } from '../../helpers/registry.ts';
import { makeShop } from './shop.ts';

let registry: RunningRegistry;
const imageOf = (content: string, config = {}): BuiltImage =>
  buildImage({ layers: [{ base: 'base' }, { app: content.repeat(2000) }], config });
beforeAll(async () => {
  registry = await startRegistry();
  for (const tag of ['1', '2', '3']) await push(registry.host, 'shop/web', tag, imageOf(`release ${tag}`));
});
afterAll(() => registry.stop());
const web = (tag: string): string => `${registry.host}/shop/web:${tag}`;

const KEY = 'data-docker.mender-docker-compose.shop.version';
const dependsOf = async (path: string) => (await readArtifact(path)).depends[KEY];

/** A server with one device that installs everything. */
async function fleet(): Promise<MenderServer> {
  const server = await menderServer();
  simulateDevice(server, { id: 'd1', type: 'qemu', group: 'staging', provides: {} }, { outcome: 'success' });
  return server;
}

describe('a release that is built twice', () => {
  it('gives the same artifact, and never one that depends on itself', async () => {
    const { commit, on, artifact } = makeShop();
    commit('1.0.0', web('1'), '1.0.0');
    const build = () => on('ci', 'build', '--release', '--no-upload', '-a', artifact('shop-1.0.0'));
    expect(await build()).toMatchObject({ code: 0 });
    const first = readFileSync(artifact('shop-1.0.0'));
    const again = await build();
    expect([again.code, again.stderr]).toEqual([
      0,
      expect.stringContaining('it has the version of the new artifact'),
    ]);
    expect(readFileSync(artifact('shop-1.0.0')).equals(first)).toBe(true);
    expect(await dependsOf(artifact('shop-1.0.0'))).toBeUndefined();
  });

  it('with another content leaves the file as it is, unless --force says otherwise', async () => {
    const { commit, on, artifact } = makeShop();
    commit('2', web('1'));
    const build = (...flags: string[]) =>
      on('dev', 'build', '--artifact-version', '2', '--no-upload', '-a', artifact('two'), ...flags);
    expect(await build()).toMatchObject({ code: 0 });
    const first = readFileSync(artifact('two'));
    const other = await build('-i', `web=${web('2')}`);
    expect([other.code, other.stderr]).toEqual([2, expect.stringContaining('holds something else')]);
    expect(readFileSync(artifact('two')).equals(first)).toBe(true);
    expect(await build('-i', `web=${web('2')}`, '--force')).toMatchObject({ code: 0 });
    expect(readFileSync(artifact('two')).equals(first)).toBe(false);
  });

  it.each([
    ['with the tag', '1.3.0'],
    ['without the tag', undefined],
  ])('after a late commit has the last other version as its base, %s', async (_, tag) => {
    const { commit, on, artifact } = makeShop();
    commit('1.2.0', web('1'), '1.2.0');
    commit('1.3.0', web('2'));
    commit('1.3.0', web('2'), tag);
    const { code, stderr } = await on(
      'fresh',
      'build',
      '--release',
      '--no-upload',
      '-a',
      artifact('shop-1.3.0'),
    );
    expect([code, stderr]).toEqual([0, expect.any(String)]);
    expect(await dependsOf(artifact('shop-1.3.0'))).toBe('1.2.0');
  });

  it('is whole where it is the first, with a git tag of its version', async () => {
    const { commit, on, artifact } = makeShop();
    commit('1.0.0', web('1'), '1.0.0');
    const first = ['build', '--release', '--no-upload', '-a', artifact('first')] as const;
    expect(await on('fresh', ...first)).toMatchObject({ code: 0 });
    expect(await dependsOf(artifact('first'))).toBeUndefined();
  });

  it.each([['--previous-version', '1.0.0'] as const])('refuses %s of its own version', async (...flags) => {
    const { commit, on } = makeShop();
    commit('1.0.0', web('1'), '1.0.0');
    const { code, stderr } = await on('ci', 'plan', '--release', ...flags);
    expect([code, stderr]).toEqual([2, expect.stringContaining('has the version of the new artifact')]);
  });
});

describe('a tag that was rebuilt between two releases', () => {
  it('is an error on a fresh machine, which names the ways out', async () => {
    const { commit, on } = makeShop();
    await push(registry.host, 'lib/redis', '7', imageOf('old redis'));
    commit('1.0.0', `${registry.host}/lib/redis:7`, '1.0.0');
    await push(
      registry.host,
      'lib/redis',
      '7',
      imageOf('new redis', { created: new Date(Date.now() + 3_600_000).toISOString() }),
    );
    commit('1.1.0', `${registry.host}/lib/redis:7`);
    const { code, stderr } = await on('fresh', 'plan', '--release');
    expect([code, stderr]).toEqual([
      2,
      expect.stringMatching(/lib\/redis:7: it was made .*, after the commit of [^]*mender:\/\/NAME/),
    ]);
  });

  it.each([
    ['the lock file', true],
    ['the record on the server', false],
  ])('is found by its old digest through %s', async (_, isLocked) => {
    const server = isLocked ? undefined : await fleet();
    const { git, commit, on, artifact } = makeShop(server);
    const name = isLocked ? 'lib/locked' : 'lib/recorded';
    const [before, after] = [
      imageOf(`${name} old`),
      imageOf(`${name} new`, { created: new Date(Date.now() + 3_600_000).toISOString() }),
    ];
    await push(registry.host, name, '7', before);
    commit('1.0.0', `${registry.host}/${name}:7`);
    if (isLocked) {
      expect(await on('dev', 'lock')).toMatchObject({ code: 0 });
      git('add', '-A');
      git('commit', '-q', '-m', 'Lock');
      expect(await on('dev', 'plan', '--release', '--locked')).toMatchObject({ code: 0 });
    } else {
      const release = [
        '--release',
        '-a',
        artifact('shop-1.0.0'),
        '-g',
        'staging',
        '--poll-interval',
        '0.02s',
      ];
      const { code, stderr } = await on('ci', 'build', ...release);
      expect([code, stderr]).toEqual([0, expect.any(String)]);
    }
    await push(registry.host, name, '7', after);
    if (isLocked) {
      const { code, stderr } = await on('fresh', 'plan', '--release', '--locked');
      expect([code, stderr]).toEqual([2, expect.stringContaining('does not fit')]);
    }
    commit('1.1.0', `${registry.host}/${name}:7`);
    const upload = isLocked ? ['--no-upload'] : [];
    const built = await on('fresh', 'build', '--release', '-a', artifact('shop-1.1.0'), ...upload);
    expect([built.code, built.stderr]).toEqual([0, expect.any(String)]);
    expect(await dependsOf(artifact('shop-1.1.0'))).toBe('1.0.0');
    const { images, record } = await readArtifact(artifact('shop-1.1.0'));
    expect(images[0]?.layers.map(({ kind, from }) => [kind, from])).toEqual([
      ['omit', undefined],
      ['delta', before.layers[1]?.diffID],
    ]);
    expect(record?.images[0]?.configDigest).toBe(after.configDigest);
  });
});

describe('two references of one image', () => {
  const [before, after] = [imageOf('pair old'), imageOf('pair new')];
  const pair = (name: string, tag: string): string => `${registry.host}/pair/${name}:${tag}`;
  const pushBoth = (image: BuiltImage) =>
    Promise.all(['web', 'worker'].map((name) => push(registry.host, `pair/${name}`, '1', image)));
  const lockedShop = async () => {
    const shop = makeShop();
    await pushBoth(before);
    shop.commit('1.0.0', { web: pair('web', '1'), worker: pair('worker', '1') });
    expect(await shop.on('dev', 'lock')).toMatchObject({ code: 0 });
    return shop;
  };

  it('are both in the lock file, which a later build believes', async () => {
    const { commit, on, artifact } = await lockedShop();
    commit('1.0.0', { web: pair('web', '1'), worker: pair('worker', '1') });
    await push(registry.host, 'pair/worker', '1', after);
    const refused = await on('fresh', 'plan', '--locked', '--no-delta', '--no-upload');
    expect([refused.code, refused.stderr.match(/does not fit: .*/)?.[0]]).toEqual([
      2,
      expect.stringMatching(/^does not fit: \S+\/pair\/worker:1 is sha256:\w+ now, locked is sha256:\w+$/),
    ]);
    commit('1.1.0', { web: pair('web', '1'), worker: pair('worker', '1') });
    const built = await on('fresh', 'build', '--release', '--no-upload', '-a', artifact('shop-1.1.0'));
    expect([built.code, built.stderr]).toEqual([0, expect.any(String)]);
    expect(await dependsOf(artifact('shop-1.1.0'))).toBe('1.0.0');
    const { images } = await readArtifact(artifact('shop-1.1.0'));
    const froms = images.flatMap(({ layers }) => layers.map(({ kind, from }) => [kind, from]));
    expect(froms).toContainEqual(['delta', before.layers[1]?.diffID]);
  });

  it('make a release fail, and other builds warn, if the lock of the base does not fit', async () => {
    const { commit, on } = await lockedShop();
    await push(registry.host, 'pair/worker', '2', before);
    commit('1.0.0', { web: pair('web', '1'), worker: pair('worker', '2') }, '1.0.0');
    commit('1.1.0', { web: pair('web', '1'), worker: pair('worker', '2') });
    const misfit = /lock of 1\.0\.0, git commit \w+ does not fit its Compose file: worker runs \S+worker:2/;
    const released = await on('fresh', 'plan', '--release', '--no-upload');
    expect([released.code, released.stderr]).toEqual([2, expect.stringMatching(misfit)]);
    const planned = await on('fresh', 'plan', '--no-upload', '--previous-version', '1.0.0');
    expect([planned.code, planned.stderr]).toEqual([0, expect.stringMatching(misfit)]);
  });
});

describe('a base that somebody names', () => {
  it('wins over the cache, and one that does not exist is an error', async () => {
    const { commit, on, artifact } = makeShop();
    commit('1.0.0', web('1'), '1.0.0');
    const local = ['--artifact-version', '1.2.0-rc1', '--no-upload', '-a', artifact('rc')];
    expect(await on('dev', 'build', ...local)).toMatchObject({ code: 0 });
    const named = await on('dev', 'plan', '--json', '--no-upload', '--previous-version', '1.0.0');
    expect(baseIn(named.stdout)).toBe('1.0.0');
    expect(await on('dev', 'plan', '--previous-version', 'nonsense')).toMatchObject({ code: 3 });
    commit('1.1.0', web('2'));
    const release = await on('dev', 'plan', '--json', '--release');
    expect(baseIn(release.stdout)).toBe('1.0.0');
  });

  it('may lie on the server: nothing of it is downloaded', async () => {
    const server = await menderServer();
    const { commit, on, artifact } = makeShop(server);
    commit('1.0.0', web('1'));
    expect(await on('ci', 'build', '--release', '-a', artifact('one'))).toMatchObject({ code: 0 });
    commit('2.0.0', web('2'));
    const flags = ['--release', '--no-upload', '--base', 'mender://shop-1.0.0'];
    const built = await on('fresh', 'build', ...flags, '-a', artifact('two'));
    expect([built.code, built.stderr]).toEqual([0, expect.any(String)]);
    expect(await dependsOf(artifact('two'))).toBe('1.0.0');
    expect(server.calls.filter((call) => call.includes('download'))).toEqual([]);
    const missing = await on('fresh', 'plan', '--release', '--base', 'mender://shop-9');
    expect([missing.code, missing.stderr]).toEqual([3, expect.stringContaining('no artifact of this name')]);
    const other = await on('fresh', 'plan', '--release', '-m', 'kiosk', '--base', 'mender://shop-1.0.0');
    expect([other.code, other.stderr]).toEqual([7, expect.stringContaining('expected an artifact of kiosk')]);
    const wrong = await on('fresh', 'plan', '--release', '--base', '9=mender://shop-1.0.0');
    expect([wrong.code, wrong.stderr]).toEqual([
      2,
      expect.stringContaining('the base has version 1.0.0, not 9'),
    ]);
  });

  it('needs a token if it lies on the server', async () => {
    const { commit, on } = makeShop();
    commit('1.0.0', web('1'));
    const { code, stderr } = await on('dev', 'plan', '--artifact-version', '2', '--base', 'mender://shop-1');
    expect([code, stderr]).toEqual([4, expect.stringContaining('there is no token')]);
  });
});

describe('what the server says was deployed', () => {
  it('comes before what this machine delivered', async () => {
    const server = await fleet();
    const { commit, on, artifact } = makeShop(server);
    const deploy = ['-g', 'staging', '--poll-interval', '0.02s'];
    commit('1.0.0', web('1'));
    for (const machine of ['a']) {
      const { code, stderr } = await on(machine, 'build', '--release', '-a', artifact('1'), ...deploy);
      expect([code, stderr]).toEqual([0, expect.any(String)]);
    }
    commit('2.0.0', web('2'));
    // Uploaded, and never deployed.
    expect(await on('a', 'build', '--release', '-a', artifact('2'))).toMatchObject({ code: 0 });
    commit('3.0.0', web('3'));
    const { stdout, stderr } = await on('a', 'plan', '--release', '--json');
    expect([baseIn(stdout), stderr]).toEqual(['1.0.0', expect.any(String)]);
  });
});

it('counts a deployment that a device which is off keeps open', async () => {
  const server = await fleet();
  const { commit, on, artifact } = makeShop(server);
  const deploy = ['-g', 'staging', '--poll-interval', '0.02s'];
  commit('1.0.0', web('1'));
  expect(await on('a', 'build', '--release', '-a', artifact('1'), ...deploy)).toMatchObject({ code: 0 });
  server.state.devices.set('off', { id: 'off', type: 'qemu', group: 'staging', provides: {} });
  commit('2.0.0', web('2'));
  const flags = ['--release', '-a', artifact('2'), ...deploy, '--no-wait-for-deploy'];
  expect(await on('a', 'build', ...flags)).toMatchObject({ code: 0 });
  const [second] = [...server.state.deployments.values()].filter((one) => one.targets.includes('off'));
  await vi.waitFor(() => expect(second!.reports.get('d1')?.status).toBe('success'));
  commit('3.0.0', web('3'));
  // Another machine: it has delivered nothing.
  const { stdout, stderr } = await on('b', 'plan', '--release', '--json');
  expect([baseIn(stdout), stderr]).toEqual(['2.0.0', expect.any(String)]);
});

describe('one file for several artifacts', () => {
  it('is refused before anything is built', async () => {
    const { commit, on, artifact } = makeShop();
    commit('1.0.0', web('1'), '1.0.0');
    commit('2.0.0', web('2'));
    const flags = ['--release', '--no-upload', '--also-full', '-a', artifact('same')];
    const { code, stderr } = await on('ci', 'build', ...flags);
    expect([code, stderr]).toEqual([2, expect.stringContaining('leave out -a')]);
  });
});

describe('without git', () => {
  it.each([
    [['--release', '--artifact-version', '2']],
    [['--previous-version', '1.0.0', '--artifact-version', '2']],
    [['--release']],
    [[]],
  ])('%j is an error', async (flags) => {
    const { commit, on } = makeShop();
    commit('1.0.0', web('1'), '1.0.0');
    const path = process.env['PATH'];
    process.env['PATH'] = '/nonexistent';
    const { code, stderr } = await on('slim', 'plan', ...flags).finally(() => {
      process.env['PATH'] = path;
    });
    expect([code, stderr]).toEqual([8, expect.stringContaining('git is not installed')]);
  });
});

function baseIn(stdout: string): string | undefined {
  if (stdout === '') return 'no plan';
  const { artifacts } = JSON.parse(stdout) as { artifacts: { base: { version: string } | null }[] };
  return artifacts[0]?.base?.version;
}
