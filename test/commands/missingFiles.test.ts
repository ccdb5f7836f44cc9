import { execFileSync } from 'node:child_process';
import { gzipSync } from 'node:zlib';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runCli } from '../helpers/cli.ts';
import { buildImage, writeOciArchive } from '../helpers/images.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

const HOST = 'http://127.0.0.1:1';
const FLAGS = ['-t', 'qemu', '-p', 'linux/amd64', '--artifact-version', '1'];
const PLAN = ['plan', '.', ...FLAGS];
const BUILD = ['build', '.', ...FLAGS, '-f', 'web=a', '--no-upload'];
const MAP = ['--repo-file', 'x'];

/** The environment of a run in a project with this Compose file, and the paths of its files. */
function project(text: string): { folder: string; environment: Record<string, string> } {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'compose.yaml'), text);
  return { folder, environment: { HOME: folder, MENDER_HOST: HOST, LIBRARY_URL: HOST } };
}

/**
 * Words of a command line with absolute paths: `x` is the file, `a` an archive, `.` the project.
 */
function inFolder(words: readonly string[], folder: string): string[] {
  return words.map((word) =>
    word.replace(/(?<=^|=)([ax.]|x\.mender|map\.yaml)$/, (name) => join(folder, name)),
  );
}

/** Every option and argument that names a file to read, and every file that a project names. */
const OPTIONS: [string, string[]][] = [
  ['a Compose file', ['plan', 'x', ...PLAN.slice(2)]],
  ['-f', [...PLAN, '-f', 'web=x']],
  ['--base', [...BUILD, '--base', 'x']],
  ['--env-file', [...PLAN, '--env-file', 'x']],
  ['--device-report', [...PLAN, '--device-report', 'x']],
  ['a Compose file of lock', ['lock', 'x', ...FLAGS]],
  ['a Compose file of doctor', ['doctor', 'x']],
  ['a Compose file of init', ['init', 'x', '-t', 'qemu', '-p', 'linux/amd64']],
  ['a Compose file of rollout', ['rollout', 'x', ...FLAGS, '--all-devices']],
  ['artifacts update --replace', ['artifacts', 'update', 'gateway-1.0', '--replace', 'x']],
  ['--sign', [...BUILD, '--sign', 'x']],
  ['--repo-file of build', [...BUILD.slice(0, -1), ...MAP]],
  ['--repo-file of deploy', ['deploy', 'gateway-1.0', ...MAP]],
  ['--repo-file of destinations', ['destinations', 'resolve', 'gateway', ...MAP]],
  ['destinations lint', ['destinations', 'lint', 'x']],
  ['inspect', ['inspect', 'x']],
  ['inspect --key', ['inspect', 'x', '--key', 'x']],
  ['verify', ['verify', 'x']],
  ['report', ['report', 'x']],
  ['upload', ['upload', 'x']],
  ['--token-file', ['releases', 'list', '--token-file', 'x']],
  ['artifacts add', ['artifacts', 'add', 'x']],
  ['library push', ['library', 'push', 'x', 'library://a/b/c:1']],
  ['--token-file of library', ['library', 'search', 'abc', '--token-file', 'x']],
];

const PROJECTS: [string, string][] = [
  ['include', 'include: [x]'],
  ['env_file of include', 'include: [{path: compose.other.yaml, env_file: x}]'],
  ['env_file', 'services: {web: {image: "web:1", env_file: x}}'],
  ['extends', 'services: {web: {image: "web:1", extends: {file: x, service: web}}}'],
  ['configs', 'services: {web: {image: "web:1", configs: [c]}}\nconfigs: {c: {file: x}}'],
  ['secrets', 'services: {web: {image: "web:1", secrets: [c]}}\nsecrets: {c: {file: x}}'],
];

const PLAIN = 'services: {web: {image: "web:1"}}';
const CASES = [
  ...OPTIONS.map(([name, words]): [string, string[], string] => [name, words, PLAIN]),
  ...PROJECTS.map(([name, text]): [string, string[], string] => [name, PLAN, text]),
];

async function run(words: readonly string[], text: string, make?: (path: string) => void) {
  const { folder, environment } = project(text);
  writeFileSync(join(folder, 'compose.other.yaml'), PLAIN);
  writeOciArchive(join(folder, 'a'), { 'web:1': buildImage({ layers: [{ a: 'a' }] }) });
  make?.(join(folder, 'x'));
  const token = words.includes('--token-file') ? {} : { MENDER_PAT: 'token' };
  return runCli(inFolder(words, folder), { ...environment, ...token });
}

describe('a file that does not exist ends the run with exit code 3 and its name', () => {
  test.each(CASES)('%s', async (_, words, text) => {
    const { code, stderr } = await run(words, text);
    expect([code, stderr]).toEqual([3, expect.stringMatching(/\bx\b.*(no such|does not exist)/)]);
  });
});

describe('a named pipe in the place of a file is refused and does not hold up the run', () => {
  test.each(CASES)('%s', async (_, words, text) => {
    const { code, stderr } = await run(words, text, (path) => execFileSync('mkfifo', [path]));
    expect(stderr).toMatch(/\bx\b/);
    expect([2, 3, 6, 7]).toContain(code);
  });

  test.each(['.env', '.menderignore', 'VERSION'])('%s', async (name) => {
    const { folder, environment } = project('services: {web: {image: "web:1", volumes: ["./data:/data"]}}');
    mkdirSync(join(folder, 'data'));
    execFileSync('mkfifo', [join(folder, name)]);
    const words = name === 'VERSION' ? ['plan', '.', '-t', 'qemu', '-p', 'linux/amd64', '--release'] : PLAN;
    const { code, stderr } = await runCli(inFolder(words, folder), environment);
    const message =
      name === 'VERSION' ? 'VERSION' : `${name}: expected a regular file, found a device or named pipe`;
    expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
  });
});

const YAML = 'services: {}\n';
const MAP_TEXT = '[{name: shop, workflow: community, cloud: mender, mappings: {}}]\n';
/** Options and arguments that name an artifact, and those that name an image archive. */
const ARTIFACTS = [
  'inspect',
  'verify',
  'report',
  'upload',
  'artifacts add',
  'artifacts update --replace',
  '--base x.mender',
  'deploy FILE',
  'destinations resolve FILE',
];
const ARCHIVES = ['-f', '--base of a version'];
const COMMANDS = new Map<string, string[]>([
  ...OPTIONS,
  ['--base x.mender', [...BUILD, '--base', 'x.mender']],
  ['deploy FILE', ['deploy', 'x.mender', '--repo-file', 'map.yaml']],
  ['destinations resolve FILE', ['destinations', 'resolve', 'x.mender', '--repo-file', 'map.yaml']],
  ['--base of a version', [...BUILD, '--base', '0=x']],
]);
const WRONG: [string, string | Buffer, number, string][] = [
  ['YAML', YAML, 7, 'KIND, found YAML'],
  ['an empty file', '', 6, ': the file is empty'],
  ['a web page', '<!doctype html>', 7, 'KIND, found a web page'],
];
const OF_ARTIFACTS: typeof WRONG = [
  ['gzip', gzipSync(YAML), 7, 'KIND, found gzip data'],
  ['a tar archive', Buffer.from(`a${'\0'.repeat(256)}ustar`), 7, 'KIND, found another tar archive'],
];
const OF_ARCHIVES: typeof WRONG = [['gzipped YAML', gzipSync(YAML), 7, 'KIND, found YAML']];

const rowsOf = (names: string[], kind: string, contents: typeof WRONG) =>
  names.flatMap((name) =>
    contents.map(([what, content, code, text]): [string, string, string | Buffer, number, string] => [
      ...([name, what, content, code] as const),
      text.replace('KIND', `expected ${kind}`),
    ]),
  );

describe('a file of another kind is named as what it is', () => {
  test.each([
    ...rowsOf(ARTIFACTS, 'a Mender Artifact', [...WRONG, ...OF_ARTIFACTS]),
    ...rowsOf(ARCHIVES, 'an image archive', [...WRONG, ...OF_ARCHIVES]),
  ])('%s: %s', async (name, _, content, exit, message) => {
    const words = COMMANDS.get(name)!;
    const { code, stderr } = await run(words, PLAIN, (path) => {
      writeFileSync(path, content);
      writeFileSync(`${path}.mender`, content);
      writeFileSync(join(path, '..', 'map.yaml'), MAP_TEXT);
    });
    expect([code, stderr]).toEqual([exit, expect.stringContaining(message)]);
  });
});
