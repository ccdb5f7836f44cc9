import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readArtifact } from '../../../src/mender/read/read.ts';
import type { FileContext } from '../../../src/pipeline/base/fileBaselines.ts';
import { fileBaselines } from '../../../src/pipeline/base/fileBaselines.ts';
import type { BuildRequest } from '../../../src/pipeline/request.ts';
import { runCli } from '../../helpers/cli.ts';
import type { CliRun } from '../../helpers/cli.ts';
import type { BuiltImage } from '../../helpers/images.ts';
import { buildImage, writeOciArchive } from '../../helpers/images.ts';
import type { RunningRegistry } from '../../helpers/registry.ts';
import { push, startRegistry } from '../../helpers/registry.ts';
import { temporaryFolder } from '../../helpers/temporary.ts';
import { requireTool } from '../../helpers/tools.ts';
import { rebuild, unpackArtifact } from '../artifact.ts';

const text = (seed: number): Buffer =>
  Buffer.from(Array.from({ length: 2000 }, (_, n) => `line ${n * seed}\n`).join(''));
const releases: Record<string, BuiltImage> = {
  '1': buildImage({ layers: [{ base: text(1) }, { app: text(2), same: text(9) }] }),
  '2': buildImage({ layers: [{ base: text(1) }, { app: text(3), same: text(9) }] }),
  '3': buildImage({ layers: [{ base: text(1) }, { app: text(4), same: text(9) }] }),
};

let registry: RunningRegistry;
/** Tests that run at the same time clone repositories below the common folder. */
const temporary = mkdtempSync(join(tmpdir(), 'mender-docker-delta-test-'));
beforeAll(async () => {
  process.env['TMPDIR'] = temporary;
  registry = await startRegistry();
  for (const [tag, image] of Object.entries(releases)) await push(registry.host, 'shop/web', tag, image);
});
afterAll(() => rmSync(temporary, { recursive: true, force: true }));
afterAll(() => registry.stop());

interface Place {
  folder: string;
  git: (...args: string[]) => string;
  /** Commits a release: VERSION, and a manifest that runs the image of `tag`. */
  commit: (version: string, tag: string, gitTag?: string) => void;
  run: (command: string, ...flags: string[]) => Promise<CliRun>;
}

function repository(): Place {
  requireTool('git');
  const folder = temporaryFolder();
  const git = (...args: string[]): string =>
    execFileSync(
      'git',
      ['-c', 'user.name=t', '-c', 'user.email=t@t', '-c', 'init.defaultBranch=main', ...args],
      {
        cwd: folder,
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    ).trim();
  git('init', '-q');
  mkdirSync(join(folder, 'shop'));
  const commit: Place['commit'] = (version, tag, gitTag) => {
    writeFileSync(join(folder, 'VERSION'), `${version}\n`);
    writeFileSync(join(folder, 'shop/.env'), `TAG=${tag}\n`);
    const settings = 'x-mender: {device-type: qemu, platform: linux/amd64, module: app, manifest-name: shop}';
    writeFileSync(
      join(folder, 'shop/compose.yaml'),
      `${settings}\nservices:\n  web: {image: "${registry.host}/shop/web:\${TAG}"}\n`,
    );
    git('add', '-A');
    git('commit', '-q', '-m', version);
    if (gitTag !== undefined) git('tag', gitTag);
  };
  const environment = { HOME: folder, MENDER_HELPER_CACHE_DIR: join(folder, '.git/cache') };
  const run: Place['run'] = (command, ...flags) =>
    runCli([command, join(folder, 'shop'), ...flags], environment);
  return { folder, git, commit, run };
}

interface Plan {
  version: string;
  artifactName: string;
  base: { version: string; origin: string } | null;
  images: { layers: { kind: string }[] }[];
}

const plansIn = ({ stdout, stderr }: CliRun): Plan[] => {
  if (stdout === '') throw new Error(stderr);
  return (JSON.parse(stdout) as { artifacts: Plan[] }).artifacts;
};
const leftClones = (): string[] =>
  readdirSync(tmpdir()).filter((name) => name.startsWith('mender-docker-delta-git-'));

describe('the base of a build', () => {
  it.each([
    {
      why: '--previous-version, a tag',
      flags: ['--previous-version', '1.0.0'],
      base: '1.0.0',
      origin: '1.0.0 (--previous-version), git commit',
    },
    {
      why: '--previous-version, a v-tag',
      flags: ['--previous-version', '2.0.0'],
      base: '2.0.0',
      origin: '2.0.0 (--previous-version)',
    },
    {
      why: '--previous-version, a branch',
      flags: ['--previous-version', 'main'],
      base: '3.0.0',
      origin: 'main (--previous-version)',
    },
    {
      why: '--release',
      flags: ['--release'],
      base: '2.0.0',
      origin: 'the last other VERSION in the history',
    },
    { why: 'VERSION', flags: [], base: '3.0.0', origin: '3.0.0 (VERSION)' },
    { why: '--no-delta', flags: ['--no-delta'], base: undefined, origin: '' },
  ])('comes from $why', async ({ flags, base, origin }) => {
    const { commit, run } = repository();
    const before = leftClones();
    commit('1.0.0', '1', '1.0.0');
    commit('2.0.0', '2', 'v2.0.0');
    commit('3.0.0', '3', '3.0.0');
    const [plan] = plansIn(await run('plan', '--json', ...flags));
    expect(plan?.base?.version).toBe(base);
    expect(plan?.base?.origin ?? '').toContain(origin);
    expect(plan?.base?.origin ?? '').toMatch(
      /^$|, git commit [0-9a-f]{7}, images as their sources have them today$/,
    );
    expect(leftClones()).toEqual(before);
  });

  const image = (reference: string): string => `services:\n  web: {image: "${reference}"}\n`;
  it.each<[string, string, Record<string, string>, string?, string?]>([
    ['its tag', '{host}/shop/web:${RELEASE:-1}', { RELEASE: '2' }, '{host}/shop/web:2', 'RELEASE'],
    ['a required tag', '{host}/shop/web:${RELEASE:?}', { RELEASE: '2' }, '{host}/shop/web:2', 'RELEASE'],
    ['the reference', '${IMAGE}', { IMAGE: '{host}/shop/web:2' }, '{host}/shop/web:2', 'IMAGE'],
    ['a digest', '${IMAGE}', { IMAGE: '{host}/shop/web@{digest}' }, '{host}/shop/web@{digest}', 'IMAGE'],
    ['the tag', '${HOST}/shop/web:${TAG}', { HOST: '{host}', TAG: '2' }, '{host}/shop/web:2', 'TAG'],
    ['a tag as git has it', '{host}/shop/web:${RELEASE:-1}', { RELEASE: '1' }],
    ['the registry alone', '${REGISTRY}/shop/web:1', { REGISTRY: '{host}' }],
    ['a required registry alone', '${REGISTRY:?}/shop/web:1', { REGISTRY: '{host}' }],
  ])('from git is refused if this build chooses %s', async (_, reference, variables, found, variable) => {
    const { folder, git, commit } = repository();
    commit('1.0.0', '1');
    const here = (text: string): string =>
      text.replaceAll('{host}', registry.host).replaceAll('{digest}', releases['2']!.descriptor.digest);
    const manifest = join(folder, 'shop/compose.yaml');
    const settings = readFileSync(manifest, 'utf8').split('services:')[0]!;
    writeFileSync(manifest, settings + here(image(reference)));
    git('rm', '-q', 'shop/.env');
    git('commit', '-q', '-a', '-m', 'variables', '--amend');
    git('tag', '1.0.0');
    const given = Object.entries(variables).map(([name, value]) => [name, here(value)] as const);
    const envFile = join(temporaryFolder(), 'today.env');
    writeFileSync(envFile, given.map(([name, value]) => `${name}=${value}\n`).join(''));
    const text = found && `web: ${here(found)}: its tag or digest comes from ${variable} of this build`;
    for (const environment of [Object.fromEntries(given), { COMPOSE_ENV_FILES: envFile }]) {
      const flags = ['--artifact-version', '2', '--previous-version', '1.0.0'];
      const place = ['--cache-dir', temporaryFolder()];
      const plan = ['plan', join(folder, 'shop'), ...flags, ...place];
      const { code, stderr } = await runCli(plan, { HOME: folder, ...environment });
      expect([code, stderr]).toEqual([text === undefined ? 0 : 2, expect.stringContaining(text ?? '')]);
    }
  });

  it.each([
    ['--previous-version', '1.0.0', 'error: the base 1.0.0: '],
    ['--base', '{folder}/base.json', 'error: the base image nohost.invalid/shop/web:1: '],
  ])('is named in the error if its registry does not answer: %s', async (flag, base, message) => {
    const { folder, git, commit, run } = repository();
    commit('1.0.0', '1');
    const manifest = join(folder, 'shop/compose.yaml');
    const old = readFileSync(manifest, 'utf8');
    writeFileSync(manifest, old.replace(registry.host, 'nohost.invalid'));
    git('commit', '-q', '-a', '-m', 'elsewhere', '--amend');
    git('tag', '1.0.0');
    commit('2.0.0', '2');
    const known = { ref: 'nohost.invalid/shop/web:1', hash: `sha256:${'0'.repeat(64)}` };
    const services = { web: { image: known } };
    writeFileSync(join(folder, 'base.json'), JSON.stringify({ version: '1.0.0', module: 'app', services }));
    const flags = [flag, base.replace('{folder}', folder), '--cache-dir', temporaryFolder()];
    const { code, stderr } = await run('plan', '--artifact-version', '2', ...flags);
    expect([code, stderr]).toEqual([5, expect.stringContaining(message)]);
  });

  it.each(['include', 'extends'])(
    'from git is refused if the environment chooses a tag by %s',
    async (by) => {
      const { folder, git, commit } = repository();
      commit('1.0.0', '1');
      const manifest = join(folder, 'shop/compose.yaml');
      const settings = readFileSync(manifest, 'utf8').split('services:')[0]!;
      writeFileSync(join(folder, 'shop/other.yaml'), image(`${registry.host}/shop/web:\${RELEASE}`));
      const own = 'services:\n  web: {extends: {file: other.yaml, service: web}}\n';
      writeFileSync(manifest, settings + (by === 'include' ? 'include: [other.yaml]\n' : own));
      git('add', '-A');
      git('commit', '-q', '-m', 'variables', '--amend');
      git('tag', '1.0.0');
      const flags = ['--artifact-version', '2', '--previous-version', '1.0.0'];
      const plan = ['plan', join(folder, 'shop'), ...flags, '--cache-dir', temporaryFolder()];
      const { code, stderr } = await runCli(plan, { HOME: folder, RELEASE: '2' });
      expect([code, stderr]).toEqual([
        2,
        expect.stringContaining('its tag or digest comes from RELEASE of this build'),
      ]);
    },
  );

  it('is the last local build before everything in git, for local builds only', async () => {
    const { commit, run } = repository();
    commit('1.0.0', '1', '1.0.0');
    expect(
      await run('build', '--no-upload', '--artifact-version', 'x', '-a', join(temporaryFolder(), 'x.mender')),
    ).toMatchObject({ code: 0 });
    const baseOf = async (...flags: string[]) =>
      plansIn(await run('plan', '--json', '--artifact-version', '2', ...flags))[0]?.base?.version;
    expect([
      await baseOf('--no-upload'),
      await baseOf('--no-upload', '--no-cache'),
      await baseOf(),
      await baseOf('--no-upload', '--previous-version', '1.0.0'),
    ]).toEqual(['x', '1.0.0', '1.0.0', '1.0.0']);
  });

  it.each([
    ['without --no-upload', [], true],
    ['with --no-upload', ['--no-upload'], false],
    ['with --no-cache', ['--no-cache'], false],
    ['for its own version', ['--artifact-version', 'x'], false],
  ])('is none, and the last local build is mentioned: %s', async (_, flags, isMentioned) => {
    const { commit, run } = repository();
    commit('1.0.0', '1');
    const output = join(temporaryFolder(), 'x.mender');
    await run('build', '--no-upload', '--no-delta', '--artifact-version', 'x', '-a', output);
    const own = flags.includes('--artifact-version') ? [] : ['--artifact-version', '1.0.0'];
    const { code, stderr } = await run('plan', ...own, ...flags);
    expect(code).toBe(0);
    const text = 'there is a local build of version x: to build against it, add --no-upload\n';
    expect(stderr.includes(text)).toBe(isMentioned);
  });

  it('stays where it was when nothing was uploaded, and is noted apart with --no-upload', async () => {
    const { folder, commit, run } = repository();
    commit('1.0.0', '1');
    const output = ['-a', join(temporaryFolder(), 'x.mender'), '--artifact-version', '1.0.0'];
    const { code, stderr } = await run('build', ...output);
    expect([code, stderr]).toEqual([
      0,
      expect.stringContaining('there is no token for https://hosted.mender.io'),
    ]);
    expect(existsSync(join(folder, '.git/cache/v1/applications'))).toBe(false);
    await run('build', '--no-upload', ...output);
    const notes = ['shop.local.amd64.json', 'shop.local.json'];
    expect(readdirSync(join(folder, '.git/cache/v1/applications'))).toEqual(notes);
  });

  it('is what mender-docker-lifecycle-helper remembered, where nothing else is', async () => {
    const { folder, commit, run } = repository();
    commit('1.0.0', '2');
    const image = { ref: `${registry.host}/shop/web:1`, hash: releases['1']!.configDigest.slice(7) };
    mkdirSync(join(folder, '.git/cache/manifests/shop'), { recursive: true });
    const document = JSON.stringify({ version: '0.9', services: { web: { image } } });
    writeFileSync(join(folder, '.git/cache/manifests/shop/previous_artifact.json'), document);
    const [plan] = plansIn(await run('plan', '--json', '--artifact-version', '1.0.0'));
    expect([plan?.base?.version, plan?.images[0]?.layers.map(({ kind }) => kind)]).toEqual([
      '0.9',
      ['omit', 'delta'],
    ]);
  });

  it('may be several: one download, an artifact for each, and a full one', async () => {
    const { folder, commit, run } = repository();
    for (const [version, tag] of [
      ['1.0.0', '1'],
      ['2.0.0', '2'],
      ['3.0.0', '3'],
    ] as const)
      commit(version, tag, version);
    const flags = [
      '--release',
      '--previous-version',
      '1.0.0',
      '--previous-version',
      '2.0.0',
      '--also-full',
      '--json',
      '--no-upload',
    ];
    const previous = process.cwd();
    process.chdir(folder);
    const { code, stdout, stderr } = await run('build', ...flags).finally(() => process.chdir(previous));
    expect([code, stderr]).toEqual([0, expect.any(String)]);
    const { artifacts } = JSON.parse(stdout) as { artifacts: (Plan & { artifact: { path: string } })[] };
    expect(artifacts.map(({ artifactName, base }) => [artifactName, base?.version])).toEqual([
      ['shop-3.0.0-from-1.0.0', '1.0.0'],
      ['shop-3.0.0-from-2.0.0', '2.0.0'],
      ['shop-3.0.0', undefined],
    ]);
    const name = `${registry.host}/shop/web:3`;
    const full = unpackArtifact(artifacts[2]!.artifact.path).images.get(name)!;
    expect(rebuild(full, undefined)).toEqual(releases['3']!.layers.map(({ diffID }) => diffID));
    const shared = plansIn(await run('plan', ...flags.slice(0, -1), '--server-kind', 'enterprise'));
    expect(new Set(shared.map(({ artifactName }) => artifactName))).toEqual(new Set(['shop-3.0.0']));
  });
});

describe('--base', () => {
  it('takes an artifact, with its layers, an image archive and a metadata file', async () => {
    const { folder, commit, run } = repository();
    commit('1.0.0', '1');
    const out = temporaryFolder();
    const first = join(out, 'first.mender');
    await run('build', '--no-upload', '--artifact-version', '1.0.0', '-a', first);
    const metadata = join(out, 'metadata.json');
    writeFileSync(metadata, readFileSync(join(folder, '.git/cache/v1/applications/shop.local.json')));
    const archive = join(out, 'old.tar');
    writeOciArchive(archive, { [`${registry.host}/shop/web:1`]: releases['1']! });
    commit('2.0.0', '2');
    const name = `${registry.host}/shop/web:2`;
    const old = unpackArtifact(first).images.get(`${registry.host}/shop/web:1`)!;
    for (const [number, base] of [first, `1.0.0=${archive}`, metadata].entries()) {
      const [path, cache] = [join(out, `${number}.mender`), join(out, `cache-${number}`)];
      const run2 = await run(
        'build',
        '--no-upload',
        '--artifact-version',
        '2',
        '--base',
        base,
        '-a',
        path,
        '--cache-dir',
        cache,
      );
      expect([base, run2.code, run2.stderr]).toEqual([base, 0, expect.any(String)]);
      const { images, isDelta, currentOf } = unpackArtifact(path);
      expect([isDelta(name), currentOf(name)]).toEqual([true, `${registry.host}/shop/web:1`]);
      expect(rebuild(images.get(name)!, old)).toEqual(releases['2']!.layers.map(({ diffID }) => diffID));
    }
  });

  it.each([
    [['--module', 'docker-compose'], 2, 'run the old application next to the new one'],
    [['--software-filesystem', 'data'], 2, 'keep their old version key next to the new one'],
    [['-m', 'market'], 7, 'expected that it provides *.market.version, found rootfs-image.shop.version'],
  ])('refuses an artifact whose devices do not report what %j depends on', async (flags, exit, text) => {
    const { commit, run } = repository();
    commit('1.0.0', '1');
    const first = join(temporaryFolder(), 'first.mender');
    await run('build', '--no-upload', '--artifact-version', '1.0.0', '-a', first);
    const plan = (base: string, ...more: string[]) =>
      run('plan', '--artifact-version', '2', '--base', base, '--json', ...flags, ...more);
    const { code, stderr } = await plan(first);
    expect([code, stderr]).toEqual([exit, expect.stringContaining(text)]);
    const insisted = exit === 2 ? await plan(first, '--allow-key-change') : await plan(`1.5=${first}`);
    expect(plansIn(insisted)[0]?.base?.version).toBe(exit === 2 ? undefined : '1.5');
  });

  it.each([
    ['an artifact', (artifact: string) => artifact],
    [
      'metadata',
      (artifact: string, cache: string) =>
        written(join(artifact, '..'), 'm.json', readFileSync(join(cache, 'shop.local.json'), 'utf8')),
    ],
  ])('refuses another version than that of %s', async (_, baseOf) => {
    const { folder, commit, run } = repository();
    commit('1.0.0', '1');
    const first = join(temporaryFolder(), 'first.mender');
    await run('build', '--no-upload', '--artifact-version', '1.0.0', '-a', first);
    const path = baseOf(first, join(folder, '.git/cache/v1/applications'));
    const plan = (version: string) => run('plan', '--artifact-version', '2', '--base', `${version}=${path}`);
    expect(await plan('1.0.0')).toMatchObject({ code: 0 });
    const { code, stderr } = await plan('9.0.0');
    expect([code, stderr]).toEqual([
      2,
      `error: --base 9.0.0=${path}: the base has version 1.0.0, not 9.0.0\n` +
        '  try: leave out 9.0.0=, or name the base of version 9.0.0\n',
    ]);
  });

  it('is refused where it is an artifact for another platform', async () => {
    const { commit, run } = repository();
    commit('1.0.0', '1');
    const arm = buildImage({ layers: [{ a: 'arm' }], platform: { os: 'linux', architecture: 'arm64' } });
    await push(registry.host, 'shop/web', 'arm', arm);
    const first = join(temporaryFolder(), 'first.mender');
    const flags = ['-p', 'linux/arm64', '-i', `web=${registry.host}/shop/web:arm`, '-a', first];
    expect(await run('build', '--no-upload', '--artifact-version', '1', ...flags)).toMatchObject({ code: 0 });
    const { code, stderr } = await run('plan', '--artifact-version', '2', '--base', first);
    expect([code, stderr]).toEqual([2, expect.stringContaining('the base is for linux/arm64')]);
  });

  it('gives its name to --strict-base where several artifacts share one', async () => {
    const { folder, commit, run } = repository();
    const previous = process.cwd();
    process.chdir(folder);
    for (const [version, ...flags] of [
      ['1.0.0'],
      ['2.0.0', '--also-full', '--server-kind', 'enterprise'],
      ['3.0.0', '--strict-base'],
    ] as const) {
      commit(version, version[0]!);
      expect(await run('build', '--no-upload', '--artifact-version', version, ...flags)).toMatchObject({
        code: 0,
      });
    }
    process.chdir(previous);
    expect((await readArtifact(join(folder, 'shop-3.0.0.mender'))).dependsOnArtifactNames).toEqual([
      'shop-2.0.0',
    ]);
  });

  it('is refused with --strict-base where nothing says the name of its artifact', async () => {
    const { commit, run } = repository();
    commit('1.0.0', '1');
    const base = `1=${archiveOf('shop/web:1')(temporaryFolder())}`;
    const plan = (...flags: string[]) => run('plan', '--artifact-version', '2', '--base', base, ...flags);
    expect(await plan()).toMatchObject({ code: 0 });
    const { code, stderr } = await plan('--strict-base');
    expect([code, stderr]).toEqual([
      2,
      expect.stringContaining("the name of the base's artifact is unknown"),
    ]);
  });

  it.each([
    ['a missing file', () => '/nowhere.mender', 3, 'no such file'],
    ['an archive without a version', archiveOf('shop/web:1'), 2, 'does not tell which version'],
    [
      'an archive of another image',
      (folder: string) => `1=${archiveOf('other:1')(folder)}`,
      3,
      'expected an image of ',
    ],
    ['JSON without metadata', (folder: string) => written(folder, 'x.json', '{}'), 7, 'expected {"version"'],
    [
      'metadata of another platform',
      (folder: string) => written(folder, 'x.json', '{"version":"1","platform":"linux/arm64","services":{}}'),
      2,
      'the base is for linux/arm64, the build for linux/amd64',
    ],
    ['something else', (folder: string) => written(folder, 'x.bin', 'text'), 7, 'VERSION='],
    ['a text file', (folder: string) => written(folder, 'worker.env', 'A=1\n'), 7, 'neither an artifact'],
    ['a Compose file', (folder: string) => written(folder, 'c.yaml', 'services: {}\n'), 7, 'found YAML'],
    ['an empty archive', (folder: string) => written(folder, 'e.tar', ''), 6, 'e.tar: the file is empty'],
    ['an empty .mender file', (folder: string) => written(folder, 'e.mender', ''), 6, 'the file is empty'],
    ['an invalid .mender file', (folder: string) => written(folder, 'x.mender', 'text'), 7, 'x.mender'],
  ])('refuses %s', async (_, make, exitCode, message) => {
    const { commit, run } = repository();
    commit('1.0.0', '1');
    const { code, stderr } = await run('plan', '--artifact-version', '2', '--base', make(temporaryFolder()));
    expect([stderr, code]).toEqual([expect.stringContaining(message), exitCode]);
  });

  it('says so of a file that may not be read', async () => {
    const folder = temporaryFolder();
    const path = written(folder, 'old.tar', 'text');
    chmodSync(folder, 0o755);
    chmodSync(path, 0);
    const user = process.geteuid?.() ?? 0;
    if (user === 0) process.seteuid?.('nobody');
    const found = fileBaselines(
      [{ version: '1', path }],
      { application: 'shop', images: [] },
      {} as BuildRequest,
      {} as FileContext,
    );
    await expect(found.finally(() => process.seteuid?.(user))).rejects.toMatchObject({
      name: 'UsageError',
      message: `reading ${path}: permission denied`,
    });
  });
});

function written(folder: string, name: string, content: string): string {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
}

function archiveOf(name: string): (folder: string) => string {
  return (folder) => {
    const path = join(folder, 'archive.tar');
    writeOciArchive(path, { [name.startsWith('shop') ? `${registry.host}/${name}` : name]: releases['1']! });
    return path;
  };
}

describe('git faults', () => {
  it('only warns of a repository that git refuses, unless something of it is needed', async () => {
    const { folder, commit, run } = repository();
    commit('1.0.0', '1');
    writeFileSync(join(folder, '.git/config'), '[core\n');
    const failed = await run('plan');
    expect([failed.stderr, failed.code]).toEqual([expect.stringContaining('reading the git repository'), 8]);
    const { code, stderr } = await run('plan', '--artifact-version', '2', '--no-delta');
    expect([stderr, code]).toEqual([expect.stringContaining('warning: reading the git repository'), 0]);
  });

  it.each([
    ['an unknown ref', ['--previous-version', '9.9'], 3, 'no tag, branch or commit "9.9"'],
    ['a ref that looks like a flag', ['--previous-version=--upload-pack=x'], 3, 'no tag, branch or commit'],
    ['a manifest that is missing at the ref', ['--previous-version', 'empty'], 3, 'at empty'],
  ])('%s', async (_, flags, exitCode, message) => {
    const { git, commit, run } = repository();
    git('commit', '-q', '--allow-empty', '-m', 'nothing');
    git('tag', 'empty');
    commit('1.0.0', '1');
    const before = leftClones();
    const { code, stderr } = await run('plan', ...flags);
    expect([stderr, code]).toEqual([expect.stringContaining(message), exitCode]);
    expect(leftClones()).toEqual(before);
  });

  it('names fetch-depth: 0 in a shallow clone', async () => {
    const { folder, commit } = repository();
    commit('1.0.0', '1', '1.0.0');
    commit('2.0.0', '2');
    const clone = join(temporaryFolder(), 'clone');
    execFileSync('git', ['clone', '-q', '--depth', '1', '--no-tags', `file://${folder}`, clone], {
      stdio: 'pipe',
    });
    const { code, stderr } = await runCli(['plan', join(clone, 'shop'), '--release'], { HOME: clone });
    expect([stderr, code]).toEqual([expect.stringContaining('fetch-depth: 0'), 3]);
  });

  it.each([
    ['no VERSION', () => undefined, 'no VERSION file'],
    ['a folder VERSION', (path: string) => mkdirSync(path), 'no VERSION file'],
    [
      'an empty VERSION',
      (path: string) => writeFileSync(path, '\n'),
      'expected one version in the first line',
    ],
  ])('%s ends with an error that names --artifact-version', async (_, make, message) => {
    const { folder, git, commit, run } = repository();
    commit('1.0.0', '1');
    git('rm', '-q', 'VERSION');
    make(join(folder, 'VERSION'));
    const { code, stderr } = await run('plan');
    expect([stderr, code]).toEqual([expect.stringContaining(message), 2]);
    expect(stderr).toContain('--artifact-version');
  });

  it('names a development version after VERSION, the commit and a new uuid, on a detached HEAD as well', async () => {
    const { git, commit, run } = repository();
    commit('1.2.0', '1');
    const head = git('rev-parse', 'HEAD');
    git('checkout', '-q', '--detach');
    const [plan] = plansIn(await run('plan', '--json'));
    expect(plan?.version).toMatch(new RegExp(`^1\\.2\\.0\\+${head.slice(0, 7)}\\+[0-9a-f-]{36}$`));
  });

  it('needs --artifact-version outside of a work tree', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'VERSION'), '1.0\n');
    writeFileSync(join(folder, 'compose.yaml'), `services:\n  web: {image: "${registry.host}/shop/web:1"}\n`);
    const flags = ['-t', 'x', '-p', 'linux/amd64'];
    const { code, stderr } = await runCli(['plan', folder, ...flags], { HOME: folder });
    expect([stderr, code]).toEqual([expect.stringContaining('--artifact-version'), 2]);
    expect((await runCli(['plan', folder, ...flags, '--artifact-version', '1'], { HOME: folder })).code).toBe(
      0,
    );
  });
});
