import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compiledIn } from './faults/compile.ts';
import { buildImage, writeOciArchive } from './helpers/images.ts';
import { makeArtifact } from './helpers/mender-artifact.ts';
import { simulateDevice } from './helpers/menderServer/device.ts';
import { menderServer } from './helpers/menderServer/menderServer.ts';
import { noise } from './helpers/noise.ts';
import { push, startRegistry } from './helpers/registry.ts';
import type { RunningRegistry } from './helpers/registry.ts';
import { uploadArtifact } from '../src/pipeline/release/upload.ts';
import { contextOf } from './server/fixture.ts';
import { startLibrary } from './library/standIn.ts';

const ROOT = resolve(import.meta.dirname, '..');
const DOCUMENT = readFileSync(join(ROOT, 'docs/library-api.md'), 'utf8');
/** Name and text of every example. */
const EXAMPLES = [...DOCUMENT.matchAll(/^```js\n\/\/ (\w+)\.mjs\n([\s\S]*?)^```$/gm)].map(
  ([, name, text]) => [name!, text!] as const,
);

interface Declarations {
  declarations: (root: string, options?: { comments: boolean }) => string;
}

let project: string;
let registry: RunningRegistry;

beforeAll(async () => {
  project = mkdtempSync(join(tmpdir(), 'mender-docker-delta-api-'));
  const { declarations } = (await import(join(ROOT, 'scripts/lib/declarations.mjs'))) as Declarations;
  install(declarations(ROOT));
  registry = await startRegistry();
  await push(registry.host, 'shop/web', '1', image());
}, 300_000);

afterAll(async () => {
  await registry.stop();
  rmSync(project, { recursive: true, force: true });
});

function image() {
  return buildImage({ layers: [{ 'usr/base': noise(50_000, 1) }, { 'app/server': noise(50_000, 2) }] });
}

/**
 * Packs the package as for a release, and installs it in a project of its own, without what npm
 * leaves out where it has no binary.
 */
function install(types: string): void {
  const folder = join(project, 'package');
  compiledIn(folder);
  rmSync(join(folder, 'node_modules'));
  mkdirSync(join(folder, 'dist/types'));
  writeFileSync(join(folder, 'dist/types/index.d.ts'), types);
  for (const file of ['README.md', 'LICENSE', 'docs'])
    cpSync(join(ROOT, file), join(folder, file), { recursive: true });
  const npm = (...args: string[]): string =>
    execFileSync('npm', [...args, '--ignore-scripts', '--loglevel=error'], {
      cwd: project,
      encoding: 'utf8',
    });
  const file = npm('pack', folder).trim();
  writeFileSync(join(project, 'package.json'), '{ "type": "module", "private": true }');
  npm('install', '--omit=optional', '--prefer-offline', '--no-audit', '--no-fund', file);
  expect(readdirSync(join(project, 'node_modules'))).not.toContain('lzma-native');
}

/**
 * Runs an example in the project, with addresses of this machine in place of those in the document.
 */
async function run(name: string, replaced: Record<string, string> = {}, env: Record<string, string> = {}) {
  const [, text] = EXAMPLES.find(([one]) => one === name)!;
  const here = Object.entries(replaced).reduce((all, [from, to]) => all.replaceAll(from, to), text);
  writeFileSync(join(project, `${name}.mjs`), here);
  const { stdout, stderr, exitCode } = await execa(process.execPath, [`${name}.mjs`], {
    cwd: project,
    reject: false,
    env: { HOME: project, ...env },
  });
  expect(exitCode, stderr).toBe(0);
  return stdout.split('\n');
}

describe('docs/library-api.md', () => {
  it('builds and verifies', { timeout: 120_000 }, async () => {
    const manifest = [
      'x-mender: {manifest-name: shop, device-type: qemu, platform: linux/amd64}',
      'services:',
      '  web:',
      `    image: ${registry.host}/shop/web:1`,
      '',
    ];
    writeFileSync(join(project, 'compose.yaml'), manifest.join('\n'));
    expect(await run('build')).toEqual(['shop-1.0.0 1', `1.0.0 ${join(project, 'shop-1.1.0.mender')}`]);
    const [report, verdict] = [(await run('verify')).slice(0, -1).join(' '), (await run('verify')).at(-1)];
    expect(report).toContain("docker-compose { 'data-docker.mender-docker-compose.shop.version': '1.1.0' }");
    expect(report).toContain("{ 'data-docker.mender-docker-compose.shop.version': '1.0.0' }");
    expect(verdict).toBe('0 true');
    const pulled = await run('registry', { 'registry.example.com': registry.host });
    expect(pulled).toEqual([`${join(project, 'pulled.mender')} downloaded`]);
    await run('sizes');
    expect(readFileSync(join(project, 'sizes.html'), 'utf8')).toContain('<h1>shop-1.1.0</h1>');
  });

  it('keeps artifacts on a Mender server', { timeout: 120_000 }, async () => {
    const server = await menderServer();
    const output = await run(
      'store',
      { 'https://hosted.mender.io': server.url },
      { MENDER_PAT: server.token },
    );
    expect(output).toEqual(['shop-1.0.0 uploaded first', '1 true', '[]']);
    expect(server.state.artifacts.size).toBe(0);
  });

  it('deploys, and waits for the devices', { timeout: 120_000 }, async () => {
    const provides = { 'data-docker.mender-docker-compose.shop.version': '1.0.0' };
    const device = { id: 'a', type: 'qemu', group: 'staging', provides };
    const server = await menderServer({ devices: [device] });
    await uploadArtifact({ path: makeArtifact({ name: 'shop-1.1.0' }) }, contextOf(server));
    simulateDevice(server, device, { outcome: 'success' });
    const replaced = {
      'https://hosted.mender.io': server.url,
      'id, timeoutMs': 'id, intervalMs: 50, timeoutMs',
    };
    expect(await run('deploy', replaced, { MENDER_PAT: server.token })).toEqual(['false success 1 0']);
  });

  it('looks at a fleet', { timeout: 120_000 }, async () => {
    const provides = { 'rootfs-image.shop.version': '1.0' };
    const devices = [
      { id: 'a', type: 'qemu', group: 'staging', provides },
      { id: 'b', type: 'qemu', provides },
    ];
    const server = await menderServer({ devices });
    const output = await run(
      'fleet',
      { 'https://hosted.mender.io': server.url },
      { MENDER_PAT: server.token },
    );
    expect(output).toEqual(["a { 'rootfs-image.shop.version': '1.0' }", '1 1 0']);
  });

  it('asks destination maps', async () => {
    expect(await run('maps')).toEqual(['staging', 'true', '1 undefined', '1']);
  });

  it('keeps files in a container library', async () => {
    const library = await startLibrary();
    writeOciArchive(join(project, 'gateway.tar'), { 'gateway:1': image() });
    const output = await run(
      'library',
      { 'https://library.example.com': library.url },
      { LIBRARY_TOKEN: library.token },
    );
    const { length } = readFileSync(join(project, 'copy.tar'));
    expect(output[0]).toBe("acme/apps/gateway [ '1.2' ] library:acme/apps/gateway:1.2");
    expect(output[2]).toBe(`${length} 1`);
    expect(output.slice(3).join(' ')).toMatch(/'1.2': 'image-0'.* stable: 'image-0'.*{ used: 0, quota: 0 }/);
    expect(readFileSync(join(project, 'copy.tar'))).toEqual(readFileSync(join(project, 'gateway.tar')));
  });

  it('encodes and decodes VCDIFF', async () => {
    expect(await run('vcdiff')).toEqual(['true', '178892']);
  });

  it('tells errors apart', async () => {
    expect(await run('errors')).toEqual([expect.stringMatching(/^true 3 .*nowhere\.mender/)]);
  });

  it('has only examples that are tested', () => {
    const names = [
      'build',
      'verify',
      'registry',
      'sizes',
      'store',
      'deploy',
      'fleet',
      'maps',
      'library',
      'vcdiff',
      'errors',
    ];
    expect(EXAMPLES.map(([name]) => name)).toEqual(names);
  });
});

describe('the types of the library', () => {
  it('are the ones in docs/api.txt', async () => {
    const { declarations } = (await import(join(ROOT, 'scripts/lib/declarations.mjs'))) as Declarations;
    // `npx vitest run test/libraryApi.test.ts -u` writes the report again: a change of the
    // interface is then seen in review.
    await expect(declarations(ROOT, { comments: false })).toMatchFileSnapshot('../docs/api.txt');
  }, 120_000);

  it('have names for all that a function takes and returns', async () => {
    const { declarations } = (await import(join(ROOT, 'scripts/lib/declarations.mjs'))) as Declarations;
    const text = declarations(ROOT, { comments: false });
    const declared = [...text.matchAll(/^(export )?(?:declare )?(?:interface|type|class) (\w+)/gm)];
    const hidden = declared.filter(([, exported]) => exported === undefined).map(([, , name]) => name!);
    const blocks = text
      .split(/\n(?=\S)/)
      .filter((block) => /^export (interface|declare function)/.test(block));
    const calls = blocks.flatMap((block) => block.split('\n').filter((line) => /\w\(.*\): /.test(line)));
    expect(calls.length).toBeGreaterThan(50);
    expect(hidden.filter((name) => calls.some((call) => new RegExp(`\\b${name}\\b`).test(call)))).toEqual([]);
  }, 120_000);

  it('fit a strict project without any other types than those of Node.js', { timeout: 120_000 }, async () => {
    writeFileSync(
      join(project, 'use.ts'),
      [
        "import { artifactStore, build, decodeVcdiff, inspect, starmap, verify } from 'mender-docker-delta';",
        "import type { ArtifactReport, BuildReport, Entry, Verification } from 'mender-docker-delta';",
        "const [built]: BuildReport[] = await build({ manifest: ['.'], module: 'docker-compose' });",
        "const report: ArtifactReport = await inspect(built?.artifact.path ?? '');",
        "const result: Verification = await verify('x', { base: ['y'] }, { signal: AbortSignal.timeout(1) });",
        "const entries: Entry[] | undefined = await starmap({ local: [] }).query({ name: 'shop' });",
        "const size: number = (await artifactStore({ token: 't' }).add({ path: 'x' })).size;",
        "for await (const piece of decodeVcdiff('a', 'b', 1)) piece.subarray(1);",
        '// @ts-expect-error: no such module',
        "void build({ manifest: ['.'], module: 'podman' });",
        'export { entries, report, result, size };',
        '',
      ].join('\n'),
    );
    for (const [name, text] of EXAMPLES) writeFileSync(join(project, `${name}.ts`), text);
    const options = {
      ...{
        strict: true,
        noUncheckedIndexedAccess: true,
        noEmit: true,
        skipLibCheck: false,
        exactOptionalPropertyTypes: true,
      },
      ...{
        target: 'es2023',
        module: 'nodenext',
        types: ['node'],
        typeRoots: [join(ROOT, 'node_modules/@types')],
      },
    };
    const config = { compilerOptions: options, files: ['use.ts', ...EXAMPLES.map(([name]) => `${name}.ts`)] };
    writeFileSync(join(project, 'tsconfig.json'), JSON.stringify(config));
    const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
    const { stdout } = await execa(process.execPath, [tsc, '-p', project], { reject: false });
    expect(stdout.split('\n').filter((line) => !line.includes('@types/node'))).toEqual(['']);
  });
});
