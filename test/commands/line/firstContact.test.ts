import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { COMMANDS } from '../../../src/commands/all.ts';
import { shellLines } from '../../../src/commands/terminal/wrap.ts';
import { verbOf } from '../../../src/commands/terminal/command.ts';
import { packageVersion } from '../../../src/io/packageVersion.ts';
import { runCli } from '../../helpers/cli.ts';
import { temporaryFolder } from '../../helpers/temporary.ts';

const run = (line: string, environment: Record<string, string> = {}) =>
  runCli(
    line.split(' ').filter((word) => word !== ''),
    environment,
  );

describe('help', () => {
  it('is short for a bare command, and shows five commands and an example', async () => {
    const { code, stdout, stderr } = await run('');
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout.match(/^ {2}[a-z]+ {2,}/gm)).toHaveLength(5);
    expect(stdout.split('\n').length).toBeLessThan(24);
    expect(stdout).toContain('mender-docker-delta build . -t raspberrypi4 -p linux/arm64 --no-upload');
  });

  it.each(['help', '--help', '-h', 'help --json'])('%s lists every command', async (line) => {
    const { code, stdout } = await run(line);
    expect(code).toBe(0);
    for (const command of COMMANDS) expect(stdout).toMatch(new RegExp(`^  ${verbOf(command)} `, 'm'));
  });

  it.each([
    ['help deploy', 'deploy'],
    ['deploy --help', 'deploy'],
    ['deploy -h', 'deploy'],
    ['deploy app-1 -h --json', 'deploy'],
    ['cache ls -h', 'cache'],
    ['help artifact', 'artifacts'],
    ['-h -q deploy', 'deploy'],
  ])('%s is the help of %s', async (line, verb) => {
    const { code, stdout } = await run(line);
    expect(code).toBe(0);
    expect(stdout).toContain(`Usage: mender-docker-delta ${verb} `);
  });

  it.each(['version', '--version', 'build --version'])('%s shows the version', async (line) => {
    expect(await run(line)).toEqual({ code: 0, stdout: `${packageVersion()}\n`, stderr: '' });
  });

  it.each(COMMANDS.map(verbOf))('of %s fits 80 columns', async (verb) => {
    const { stdout } = await run(`help ${verb}`);
    expect(stdout.split('\n').filter((line) => line.length > 80)).toEqual([]);
  });

  it.each([
    ['build', '[-- ARGUMENT..]', true],
    ['build', 'Arguments for mender-artifact', true],
    ['completion', 'ARGUMENT', false],
    ['completion', 'candidates', false],
  ])('of %s has %j: %s', async (verb, text, isThere) => {
    expect((await run(`help ${verb}`)).stdout.includes(text)).toBe(isThere);
  });

  const LINES = COMMANDS.flatMap(({ examples }) => examples.map(([line]) => line));
  it.each(LINES)('has an example that can be copied: %s', (line) => {
    expect(line).toContain('$0 ');
    expect(line).not.toContain('...');
    expect(line).not.toContain('\n');
    for (const width of [38, 78]) {
      const broken = shellLines(line.replace('$0', 'echo'), width).join('\n');
      expect(wordsInShell(broken)).toBe(wordsInShell(line.replace('$0', 'echo')));
    }
  });

  /** The words of a command as a shell splits them; nothing is run and no file is opened. */
  function wordsInShell(command: string): string {
    const plain = command.replace(/[<>()*?$]/g, '_');
    return execFileSync('sh', ['-c', `set -- ${plain}\nprintf '%s|' "$@"`], { encoding: 'utf8' });
  }
});

describe('a mistake', () => {
  it.each([
    ['bild .', 'did you mean build?'],
    ['hlep', 'did you mean help?'],
    ['help bild', 'did you mean build?'],
    ['build x --no-uplaod', 'did you mean --no-upload?'],
    ['build x --device-typ y', 'did you mean --device-type?'],
    ['build x --module docker-compos', 'did you mean docker-compose?'],
    ['cache prun', 'did you mean prune?'],
    ['artifacts list --host x', 'did you mean --mender-host?'],
    ['upload', 'type mender-docker-delta upload FILE'],
    ['inspect a b', 'the form is mender-docker-delta inspect FILE'],
    ['login', 'add --username'],
    ['completion bsh', 'did you mean bash?'],
    ['plan x -p', 'write -p PLATFORM'],
    ['plan x -p --release', 'or --platform=--release if --release is the value'],
    [
      'build x --no-artifact-version',
      "--artifact-version takes a value and can't be turned off\n  try: leave it out, or write --artifact-version VERSION; see",
    ],
    ['build x --artifact-versoin 1', 'did you mean --artifact-version? see mender-docker-delta help build\n'],
    ['build x --no-device-type', '--device-type takes a value'],
    ['build x --no-device-typ', 'unknown option --no-device-typ\n'],
    ['build x --no-delta=true', 'write --delta or --no-delta'],
  ])('%s: %s', async (line, advice) => {
    const { code, stdout, stderr } = await run(line);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(advice);
    expect(stderr).toMatch(/mender-docker-delta help/);
    expect(stderr).toMatch(/^error: .+\n {2}try: .+\n$/);
  });

  it('of a value does not show the values of unknown options', async () => {
    const { stderr } = await run('login --pasword=hunter2-hunter2');
    expect(stderr).toContain('did you mean --password?');
    expect(stderr).not.toContain('hunter2');
  });

  it('of a password that looks like an option does not show it', async () => {
    const { stderr } = await run('login --password -hunter2-hunter2');
    expect(stderr).toContain('--password has no value');
    expect(stderr).not.toContain('hunter2');
  });

  it.each([
    ['MENDER_DOCKER_DELTA_DEVICE_TYP', ', did you mean MENDER_DOCKER_DELTA_DEVICE_TYPE?'],
    ['MENDER_DOCKER_DELTA_ZZZZZZZZZZ', ''],
  ])('in the name of a variable is a warning: %s', async (name, advice) => {
    const { stderr } = await run('cache ls', { [name]: 'x', XDG_CACHE_HOME: temporaryFolder() });
    expect(stderr).toBe(`warning: ${name} is ignored: there is no such setting${advice}\n`);
  });

  it.each([
    'plan x',
    'build x --no-upload',
    'lock x',
    'verify x',
    'inspect x',
    'upload x',
    'deploy x',
    'rollout x',
    'releases list',
    'login',
    'init x',
    'library rm',
  ])('in the name of a variable is a warning of %s', async (line) => {
    const folder = temporaryFolder();
    const environment = { HOME: folder, MENDER_DOCKER_DELTA_UPLAOD: 'no' };
    const { stderr } = await run(line.replace('x', join(folder, 'x')), environment);
    expect(stderr).toMatch(/^warning: MENDER_DOCKER_DELTA_UPLAOD is ignored: .*DELTA_UPLOAD\?\nerror: /);
  });

  it('in both values that a first build needs is one error', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'compose.yaml'), 'services: {web: {image: example.test/web:1}}\n');
    const { code, stderr } = await run(`plan ${folder}`);
    expect(code).toBe(2);
    expect(stderr).toBe(
      'error: no device type and no platform are given\n' +
        '  try: put x-mender: {device-type: raspberrypi4, platform: linux/arm64} into the Compose file, ' +
        'add -t raspberrypi4 -p linux/arm64, ' +
        'or set MENDER_DOCKER_DELTA_DEVICE_TYPE and MENDER_DOCKER_DELTA_PLATFORM\n',
    );
  });

  it('that leaves one of them out asks for that one', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'compose.yaml'), 'services: {web: {image: example.test/web:1}}\n');
    const { stderr } = await run(`plan ${folder} -t qemux86-64`);
    expect(stderr).toContain('error: no platform is given\n');
  });
});

describe('words that mean the same', () => {
  it.each([
    ['cache ls', 'cache list'],
    ['artifact list', 'artifacts ls'],
    ['deployment list', 'deployments ls'],
    ['library rm', 'library delete'],
    ['release list', 'releases ls'],
    ['destination policy', 'destinations policies'],
  ])('%s is %s', async (one, other) => {
    const environment = { XDG_CACHE_HOME: temporaryFolder() };
    const [first, second] = [await run(one, environment), await run(other, environment)];
    expect(first).toEqual(second);
    expect(first.stderr).not.toContain('expected list');
  });
});
