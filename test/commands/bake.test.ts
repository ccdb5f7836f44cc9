import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, renameSync, rmdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { BakeDocument } from '../../src/commands/bake/bakeReport.ts';
import { runCli } from '../helpers/cli.ts';
import type { CliRun } from '../helpers/cli.ts';
import { buildImage, buildIndex } from '../helpers/images.ts';
import { menderServer } from '../helpers/menderServer/menderServer.ts';
import { startMisbehavingRegistry } from '../helpers/misbehaving-registry.ts';
import { noise } from '../helpers/noise.ts';
import { push, startRegistry } from '../helpers/registry.ts';
import type { RunningRegistry } from '../helpers/registry.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

const ARCHITECTURES = ['amd64', 'arm64'];

let registry: RunningRegistry;
beforeAll(async () => {
  registry = await startRegistry();
  for (const name of ['shop', 'till'])
    for (const tag of ['1', '2'])
      await push(registry.host, name, tag, buildIndex(ARCHITECTURES.map((one) => imageOf(name, one, tag))));
});
afterAll(() => registry.stop());

function imageOf(name: string, architecture: string, tag: string) {
  const program = noise(50_000, name.length + architecture.length);
  program.write(`${name} ${tag}`, 20_000);
  return buildImage({ platform: { os: 'linux', architecture }, layers: [{ [name]: program }] });
}

interface Bakery {
  folder: string;
  run: (...argv: string[]) => Promise<CliRun>;
  files: () => string[];
}

/** Two applications, and the bake file `text`. Artifacts go to a folder of their own. */
function bakery(text: string, more: Record<string, string> = {}): Bakery {
  const folder = temporaryFolder();
  for (const name of ['shop', 'till', 'out']) mkdirSync(join(folder, name));
  for (const name of ['shop', 'till'])
    writeFileSync(
      join(folder, name, 'compose.yaml'),
      `name: ${name}\nservices:\n  web: {image: "${registry.host}/${name}:\${TAG:-1}"}\n`,
    );
  writeFileSync(join(folder, 'mender-bake.yaml'), text);
  const out = join(folder, 'out');
  return {
    folder,
    run: (...argv) => runCli(['bake', '-f', '..', ...argv], { HOME: folder, ...more }, out),
    files: () => readdirSync(out).sort(),
  };
}

const TWO = `
group: {default: [shop, till], tills: [till]}
target:
  _all: {device-type: qemu, module: app, writer: embedded, platform: [linux/amd64, linux/arm64], artifact-version: 1}
  shop: {inherits: _all, manifest: shop}
  till: {inherits: [_all], manifest: till/compose.yaml, platform: linux/arm64}
`;

const documentIn = ({ stdout }: CliRun) => JSON.parse(stdout) as BakeDocument;
/** Each build with what it made: `shop@linux/amd64: shop-1-amd64 from 0`, or its exit code. */
const factsIn = (run: CliRun): string[] =>
  documentIn(run).builds.map(({ name, artifacts, error }) => {
    const made = artifacts.map(({ artifactName, base }) => `${artifactName} from ${base?.version ?? 'none'}`);
    return `${name}: ${error === null ? made.join(', ') : `error ${error.exitCode}`}`;
  });

describe('bake', () => {
  it('builds all targets and platforms, the second time as deltas', async () => {
    const { run, files } = bakery(TWO);
    const first = await run('--no-upload', '--json', '--jobs', '3');
    expect(factsIn(first)).toEqual([
      'shop@linux/amd64: shop-1-amd64 from none',
      'shop@linux/arm64: shop-1-arm64 from none',
      'till: till-1 from none',
    ]);
    expect([first.code, files()]).toEqual([
      0,
      ['shop-1-amd64.mender', 'shop-1-arm64.mender', 'till-1.mender'],
    ]);
    const set = ['--set', '*.artifact-version=2', '--set', '*.variables.TAG=2'];
    const second = await run('--no-upload', '--json', ...set, 'tills', 'shop@linux/arm64');
    expect([second.code, factsIn(second)]).toEqual([
      0,
      ['till: till-2 from 1', 'shop@linux/arm64: shop-2-arm64 from 1'],
    ]);
    expect(documentIn(second).builds.every(({ artifacts }) => artifacts[0]!.artifact.size < 20_000)).toBe(
      true,
    );
    const third = await run('--no-upload', ...set, '--set', '*.artifact-version=3', 'till');
    expect(third.stdout).toMatch(
      /^target +artifact +size *\ntill .*till-3\.mender .*instead of about.*base 2/,
    );
  });

  it('builds deltas to earlier commits for each platform, and full artifacts as well', async () => {
    const { folder, run, files } = bakery(`
target:
  shop: {manifest: shop, device-type: qemu, module: app, writer: embedded, artifact-version: 2,
    platform: [linux/amd64, linux/arm64], previous-version: [v1], also-full: true}`);
    const git = (...words: string[]) =>
      execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@b', ...words], { cwd: folder });
    const compose = (tag: string) =>
      writeFileSync(
        join(folder, 'shop/compose.yaml'),
        `name: shop\nservices:\n  web: {image: "${registry.host}/shop:${tag}"}\n`,
      );
    compose('1');
    writeFileSync(join(folder, 'shop/VERSION'), '1\n');
    git('init', '-q');
    git('add', 'shop');
    git('commit', '-q', '-m', 'one');
    git('tag', 'v1');
    compose('2');
    const made = await run('shop', '--json');
    expect(factsIn(made)).toEqual([
      'shop@linux/amd64: shop-2-amd64-from-1 from 1, shop-2-amd64 from none',
      'shop@linux/arm64: shop-2-arm64-from-1 from 1, shop-2-arm64 from none',
    ]);
    expect(files()).toHaveLength(4);
  });

  it('fetches a layer once that several builds want at the same time', async () => {
    const counting = await startMisbehavingRegistry();
    onTestFinished(() => counting.stop());
    counting.add('app', '1', imageOf('app', 'amd64', '1'));
    const names = ['a', 'b', 'c', 'd'];
    const target = (name: string) =>
      `  ${name}: {inherits: _all, device-type: ${name}, artifact-filename: ${name}.mender}`;
    const { folder, run } = bakery(`
target:
  _all: {manifest: app.yaml, platform: linux/amd64, module: app, writer: embedded, artifact-version: 1}
${names.map(target).join('\n')}`);
    writeFileSync(join(folder, 'app.yaml'), `services: {web: {image: "${counting.host}/app:1"}}\n`);
    expect((await run('--jobs', '4', ...names)).code).toBe(0);
    const asked = counting.seen.map(({ method, url }) => `${method} ${url}`);
    expect(asked.sort()).toEqual([...new Set(asked)].sort());
  });

  it('says what it uploaded', async () => {
    const server = await menderServer();
    const access = { MENDER_PAT: server.token, MENDER_DOCKER_DELTA_MENDER_HOST: server.url };
    const { run } = bakery(TWO, access);
    const last = ({ stdout }: CliRun) => stdout.trimEnd().split('\n').at(-1);
    const host = server.url;
    expect(last(await run('till'))).toBe('not uploaded');
    expect(last(await run('till', '--upload'))).toBe(`uploaded 1 of 1 artifacts to ${host}`);
    expect(last(await run('--upload'))).toBe(`uploaded 2 of 3 artifacts to ${host}; 1 was there already`);
  });

  it('says which build failed', async () => {
    const { run } = bakery(`${TWO}\n  bad: {inherits: _all, manifest: missing/compose.yaml}`);
    const { stderr } = await run('till', 'bad');
    expect(stderr).toContain('error: 1 of 2 builds failed: bad: ');
  });

  it.each([
    ['1', '1 build at once, '],
    ['99', 'builds at once, 1 thread each'],
  ])('counts what runs at once with --jobs %s', async (jobs, text) => {
    const { run } = bakery(TWO);
    expect((await run('-v', '--jobs', jobs)).stderr).toContain(text);
  });

  it('goes on after a target that fails, and ends with the exit code of the first', async () => {
    const { run, files } = bakery(`${TWO}
  bad: {inherits: _all, manifest: missing/compose.yaml}
  gone: {inherits: _all, manifest: shop, platform: linux/amd64, variables: {TAG: none}, manifest-name: gone}
  typo: {inherits: _all, manifest: shop, device-type: ""}`);
    const ended = await run('--json', 'bad', 'gone', 'typo', 'till');
    expect(factsIn(ended)).toEqual([
      'bad: error 3',
      'gone: error 3',
      'typo: error 2',
      'till: till-1 from none',
    ]);
    expect([ended.code, files()]).toEqual([3, ['till-1.mender']]);
    expect(documentIn(ended).error).toMatchObject({ exitCode: 3 });
    expect(ended.stderr).toContain('error: 3 of 4 builds failed; the first is bad: ');
    expect(ended.stderr).toContain('warning: gone failed: no image');
  });

  it.each([
    ['--print', '"name": "shop@linux/arm64"'],
    ['--list-matrix=github', '{"target":["shop@linux/amd64","shop@linux/arm64","till"]}\n'],
    ['--list-matrix=gitlab', '[{"TARGET":["shop@linux/amd64","shop@linux/arm64","till"]}]\n'],
  ])('%s prints and builds nothing', async (flag, text) => {
    const { run, files } = bakery(TWO);
    const printed = await run(flag);
    expect([printed.code, printed.stderr]).toEqual([0, '']);
    expect(printed.stdout).toContain(text);
    expect(files()).toEqual([]);
  });

  it('prints the targets with all that they inherit', async () => {
    const { run } = bakery(TWO);
    const { stdout } = await run('--print', 'till', '--set', 'till.effort=fast');
    expect(JSON.parse(stdout)).toEqual({
      group: { default: { targets: ['shop', 'till'] }, tills: { targets: ['till'] } },
      target: {
        till: {
          ...{ 'device-type': 'qemu', module: 'app', writer: 'embedded', 'artifact-version': 1 },
          ...{ manifest: 'till/compose.yaml', platform: 'linux/arm64', effort: 'fast' },
        },
      },
      builds: [{ name: 'till', target: 'till', platform: 'linux/arm64' }],
    });
  });

  it('splits its work so that the parts are the whole', async () => {
    const { run } = bakery(TWO);
    const parts = await Promise.all([1, 2, 3, 4].map((part) => run('--print', '--shard', `${part}/4`)));
    const names = parts.map(({ stdout }) => (JSON.parse(stdout) as { builds: { name: string }[] }).builds);
    expect(names.map((part) => part.length)).toEqual([1, 1, 1, 0]);
    expect(new Set(names.flat().map(({ name }) => name)).size).toBe(3);
    expect((await run('--shard', '4/4')).code).toBe(0);
  });

  it.each<[string, string, string[], string]>([
    ['an unknown target', TWO, ['shap'], 'did you mean shop?'],
    ['an unknown key', `${TWO}\n  bad: {platforms: []}`, [], 'target bad: unknown key "platforms"'],
    ['its hint', `${TWO}\n  bad: {platforms: []}`, [], 'did you mean platform?'],
    ['a value of the wrong type', `${TWO}\n  bad: {module: k8s}`, [], 'module: expected app, docker-compose'],
    ['a key', `${TWO}\n  bad: {sign: key.pem}`, [], 'target bad: sign is for the command line'],
    ['a command', `${TWO}\n  bad: {sign-with: "curl evil"}`, [], 'sign-with is for the command line'],
    [
      'a server',
      `${TWO}\n  bad: {mender-host: "https://evil.example"}`,
      [],
      'mender-host is for the command line',
    ],
    [
      'a registry',
      `${TWO}\n  bad: {insecure-registry: [a]}`,
      [],
      'insecure-registry is for the command line',
    ],
    ['a file elsewhere', `${TWO}\n  bad: {artifact-filename: ../x.mender}`, [], '../x.mender leads out of'],
    [
      'variables elsewhere',
      `${TWO}\n  bad: {env-file: ../outside.env}`,
      [],
      'env-file: ../outside.env leads out of',
    ],
    ['a Compose file elsewhere', `${TWO}\n  bad: {manifest: [shop, /x]}`, [], 'manifest: /x leads out of'],
    ['an image elsewhere', `${TWO}\n  bad: {service-file: web=/x.tar}`, [], 'service-file: web=/x.tar leads'],
    [
      "git's own files",
      `${TWO}\n  bad: {env-file: [a, shop/.git/config]}`,
      [],
      '.git/config is a file of git itself',
    ],
    [
      'variables elsewhere that are inherited and replaced for the parent',
      `${TWO}\n  _bad: {env-file: /x.env}\n  bad: {inherits: _bad}`,
      ['--set', '_bad.env-file=a'],
      'target bad: env-file: /x.env leads out of',
    ],
    [
      'two files in one name',
      `${TWO}\n  bad: {inherits: till, env-file: "a,/etc/environment"}`,
      ['bad'],
      'a path has a comma',
    ],
    [
      'files as a variable',
      `${TWO}\n  bad: {variables: {COMPOSE_ENV_FILES: /etc/environment}}`,
      [],
      'COMPOSE_ENV_FILES chooses files',
    ],
    ['__proto__', `${TWO}\n  bad: {__proto__: {module: app}}`, [], 'unknown key "__proto__"'],
    [
      'a set of an option of the run',
      TWO,
      ['--set', '*.jobs=3'],
      'error: --set *.jobs=3: jobs is for the command line, and not for a target',
    ],
    ['a set of variables', TWO, ['--set', 'shop.variables=x'], '--set shop.variables.NAME=VALUE'],
    [
      'a set of what is inherited',
      TWO,
      ['--set', 'shop.inherits=x'],
      'only the bake file says what a target',
    ],
    [
      'a set of a wrong value',
      TWO,
      ['--set', 'shop.module=k8s'],
      '--set shop.module=k8s: module: expected app',
    ],
    ['an unknown key that is like none', `${TWO}\n  bad: {zzzzzzzz: 1}`, [], ', inherits, variables'],
    [
      'a wrong value, and shows the page',
      `${TWO}\n  bad: {module: k8s}`,
      [],
      'docs/bake.md shows what a bake',
    ],
    ['a wrong form, and shows the page', `${TWO}\n  bad: 1`, [], 'docs/bake.md shows what a bake file holds'],
    ['two documents', TWO, ['--print', '--list-matrix=github'], 'print one document each'],
    [
      'to print two targets with one file',
      `${TWO}\n  a: {inherits: till, artifact-filename: y.mender, sbom: true}\n  b: {inherits: till, artifact-filename: y.mender.cdx.json}`,
      ['--print', 'a', 'b'],
      'a and b would both write',
    ],
    [
      'a matrix of targets with one report',
      TWO,
      ['--list-matrix=github', '--set', '*.report-html=r.html'],
      'would both write',
    ],
    ['a set of __proto__', TWO, ['--set', 'shop.__proto__=x'], 'unknown key "__proto__"'],
    [
      'too many platforms',
      `${TWO}\n  bad: {inherits: shop, platform: [${Array.from({ length: 101 }, (_, n) => `linux/a${n}`).join(',')}]}`,
      ['bad'],
      'expected up to 100 platforms, found 101',
    ],
    [
      'one file for an artifact and an SBOM',
      `${TWO}\n  a: {inherits: till, artifact-filename: y.mender, sbom: true}\n  b: {inherits: till, artifact-filename: y.mender.cdx.json}`,
      ['a', 'b'],
      'a and b would both write',
    ],
    [
      'one file for a page and an SBOM',
      `${TWO}\n  a: {inherits: till, artifact-filename: y.mender, sbom: true, report-html: y.mender.provenance.json}`,
      ['a'],
      'a would write',
    ],
    [
      'another value for a secret',
      `${TWO}\n  bad: {variables: {MENDER_PAT: dummydummy}}`,
      [],
      'target bad: variables: MENDER_PAT is a secret of the build',
    ],
    [
      'another value for a secret on the command line',
      TWO,
      ['--set', 'shop.variables.GITHUB_TOKEN=x'],
      'target shop: variables: GITHUB_TOKEN is a secret of the build',
    ],
    ['a cycle', `${TWO}\n  a: {inherits: [b]}\n  b: {inherits: [a]}`, [], 'targets inherit from each other'],
    ['an unknown parent', `${TWO}\n  a: {inherits: [_al]}`, [], 'there is no target "_al"'],
    ['YAML that is none', 'target: [', [], 'mender-bake.yaml: '],
    ['no manifest', `${TWO}\n  a: {inherits: [_all]}`, ['a'], 'target a has no manifest'],
    ['a bad shard', TWO, ['--shard', '3/2'], 'expected PART/PARTS, like 2/5'],
    ['a bad set', TWO, ['--set', 'shop'], 'expected TARGET.KEY=VALUE'],
    ['a set of nothing', TWO, ['--set', 'shap.effort=fast'], 'has no target shap'],
    ['a set of an unknown key', TWO, ['--set', 'shop.efort=fast'], 'did you mean effort?'],
    ['bad jobs', TWO, ['--jobs', '0'], '--jobs 0: expected a whole number from 1'],
    [
      'a platform of another target',
      TWO,
      ['till@linux/amd64'],
      'target till is not for linux/amd64, but for linux/arm64',
    ],
    ['one file for two', `${TWO}\n  two: {inherits: till}`, ['till', 'two'], 'till and two would both write'],
    ['one file for platforms', TWO, ['shop', '--set', 'shop.artifact-filename=x'], 'would both write'],
    ['its hint', TWO, ['shop', '--set', 'shop.artifact-filename=x'], 'make a target for each platform'],
    ['an upload without a token', TWO, ['--upload'], 'MENDER_PAT'],
  ])('refuses %s before anything is built', async (_, text, flags, message) => {
    const { run, files } = bakery(text);
    const refused = await run(...flags);
    expect(refused.stderr).toContain(message);
    expect(refused.code).toBeGreaterThan(1);
    expect(files()).toEqual([]);
  });

  const variants = (tag: string) => `
target:
  one: {manifest: shop, device-type: one, platform: linux/amd64, module: app, writer: embedded, artifact-version: 1, artifact-filename: out/one.mender}
  two: {inherits: one, device-type: two, variables: {TAG: ${tag}}, artifact-filename: out/two.mender}`;

  it('does not remember one version with different images', async () => {
    const { run, files } = bakery(variants('2'));
    const refused = await run('--no-upload', 'one', 'two');
    expect([refused.code, files()]).toEqual([2, []]);
    expect(refused.stderr).toMatch(
      /one and two are both shop 1 for linux\/amd64, with different images\n.*manifest-name/,
    );
    const renamed = await run('--no-upload', 'one', 'two', '--set', 'two.manifest-name=shop-two');
    expect([renamed.code, files()]).toEqual([0, ['one.mender', 'two.mender']]);
  });

  it.each([
    ['the same images', '1', ['--no-upload']],
    ['different images that are not remembered', '2', []],
  ])('builds %s under one version', async (_, tag, flags) => {
    const { run, files } = bakery(variants(tag));
    const { code } = await run('one', 'two', ...flags);
    expect([code, files()]).toEqual([0, ['one.mender', 'two.mender']]);
  });

  it.each([
    ['a folder elsewhere', (to: string) => to, 'out/x.mender', 2],
    ['a folder elsewhere, from below', (to: string) => to, 'out/new/x.mender', 2],
    ['nothing', (to: string) => join(to, 'none'), 'out/x.mender', 2],
    ['a folder of the project', () => 'shop', 'out/x.mender', 0],
  ])('follows a link to %s before it says where a project writes', async (_, target, file, code) => {
    const { folder } = bakery(`
target:
  shop: {manifest: shop, device-type: a, platform: linux/amd64, module: app, writer: embedded, artifact-version: 1, artifact-filename: ${file}}`);
    const elsewhere = temporaryFolder();
    rmdirSync(join(folder, 'out'));
    symlinkSync(target(elsewhere), join(folder, 'out'));
    const ended = await runCli(['bake', '-f', folder, 'shop'], { HOME: folder }, temporaryFolder());
    expect(ended.code).toBe(code);
    if (code !== 0) expect(ended.stderr).toContain(`${file} leads out of ${folder}`);
    expect(readdirSync(elsewhere)).toEqual([]);
  });

  it.each([
    ['below the repository', 'sub', 'site.env', 0],
    ['through a link that leads out', 'sub', 'link.env', 2],
    ['without a repository', '', 'site.env', 2],
  ])('reads variables next to its folder %s', async (_, repository, file, code) => {
    const top = temporaryFolder();
    const elsewhere = temporaryFolder();
    const { folder } = bakery('');
    renameSync(folder, join(top, 'sub'));
    if (repository !== '') mkdirSync(join(top, '.git'));
    for (const place of [top, elsewhere]) writeFileSync(join(place, 'site.env'), 'TAG=2\n');
    symlinkSync(join(elsewhere, 'site.env'), join(top, 'link.env'));
    writeFileSync(
      join(top, 'sub/mender-bake.yaml'),
      `target: {shop: {manifest: shop, env-file: ../${file}, device-type: a, platform: linux/amd64, module: app, writer: embedded, artifact-version: 1}}`,
    );
    const ended = await runCli(['bake', '-f', join(top, 'sub'), 'shop'], { HOME: top }, temporaryFolder());
    expect([ended.code, ended.stderr]).toEqual([
      code,
      code === 0 ? expect.any(String) : expect.stringContaining(`../${file} leads out of`),
    ]);
    const set = ['--set', `shop.env-file=${join(elsewhere, 'site.env')}`, '--print'];
    const asked = await runCli(['bake', '-f', join(top, 'sub'), 'shop', ...set], { HOME: top }, top);
    expect(asked.code).toBe(0);
  });

  it('finds one file for two targets through a link', async () => {
    const { folder, run } = bakery(`
target:
  _all: {manifest: shop, platform: linux/amd64, module: app, writer: embedded, artifact-version: 1}
  one: {inherits: _all, device-type: one, artifact-filename: real/x.mender}
  two: {inherits: _all, device-type: two, artifact-filename: link/x.mender}`);
    mkdirSync(join(folder, 'real'));
    symlinkSync('real', join(folder, 'link'));
    const { code, stderr } = await run('one', 'two', '--force');
    expect([code, readdirSync(join(folder, 'real'))]).toEqual([2, []]);
    expect(stderr).toContain('one and two would both write');
  });

  it('says that variables of options do not count', async () => {
    const { run } = bakery(TWO, { MENDER_DOCKER_DELTA_MODULE: 'docker-compose' });
    const { code, stderr } = await run('--print');
    expect([code, stderr]).toEqual([0, expect.stringContaining("For all of them: --set '*.module=VALUE'")]);
  });
});
