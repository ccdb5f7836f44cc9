import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { CI_SYSTEMS, ciFile } from '../../src/commands/init/ciFiles.ts';
import { withSettings } from '../../src/commands/init/withSettings.ts';
import { runCli } from '../helpers/cli.ts';
import { buildImage, writeOciArchive } from '../helpers/images.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

const COMPOSE = `# The shop.
services:
  web:   # in front
    image: 'example.test/web:1'
`;

function project(compose = COMPOSE): string {
  const folder = join(temporaryFolder(), 'shop');
  mkdirSync(folder);
  writeFileSync(join(folder, 'compose.yaml'), compose);
  return folder;
}

const init = (folder: string, line = '', environment: Record<string, string> = {}) =>
  runCli(['init', folder, ...line.split(' ').filter((word) => word !== '')], {
    HOME: temporaryFolder(),
    ...environment,
  });
const textIn = (folder: string, name: string) => readFileSync(join(folder, name), 'utf8');

describe('init', () => {
  it('writes x-mender, VERSION and .gitignore, and tells the next command', async () => {
    const folder = project();
    const { code, stdout } = await init(folder, '-t raspberrypi4 -p linux/arm64');
    expect(code).toBe(0);
    expect(stdout).toMatch(/\nnext: mender-docker-delta build \S+ --no-delta --release\n$/);
    expect(textIn(folder, 'compose.yaml')).toBe(
      'x-mender:\n  manifest-name: shop\n  device-type: raspberrypi4\n' +
        `  platform: linux/arm64\n  module: docker-compose\n${COMPOSE}`,
    );
    expect(textIn(folder, 'VERSION')).toBe('1.0.0\n');
    expect(textIn(folder, '.gitignore')).toBe('*.mender\n');
  });

  it.each([
    ['without git', undefined],
    ['in git without a commit', 'git init -q'],
    ['in git', 'git init -q && git add . && git -c user.name=a -c user.email=a@b.test commit -qm first'],
  ])('proposes a command that builds the version in VERSION: %s', async (_, git) => {
    const folder = project();
    if (git !== undefined) execFileSync('sh', ['-c', git], { cwd: folder });
    const { stdout } = await init(folder, '-t a -p linux/amd64');
    const [, ...words] = /\nnext: mender-docker-delta (.*)\n$/.exec(stdout)![1]!.split(' ');
    const archive = join(folder, 'web.tar');
    writeOciArchive(archive, { 'example.test/web:1': buildImage({ layers: [{ a: 'a' }] }) });
    const more = ['-f', `web=${archive}`, '--no-upload', '-a', join(folder, 'out.mender')];
    const run = await runCli(['build', ...words, ...more, '--json'], { HOME: folder });
    expect(run.code, run.stderr).toBe(0);
    expect(JSON.parse(run.stdout)).toMatchObject({ artifacts: [{ version: '1.0.0' }] });
  });

  it('is followed by an error that names --release where git has no commit', async () => {
    const folder = project();
    await init(folder, '-t a -p linux/amd64');
    const { code, stderr } = await runCli(['plan', folder, '--no-delta'], { HOME: folder });
    expect(code).toBe(2);
    expect(stderr).toContain('build version 1.0.0 of the file VERSION with --release, or give');
  });

  it('changes nothing the second time', async () => {
    const folder = project();
    await init(folder, '-t a -p linux/amd64');
    const before = textIn(folder, 'compose.yaml');
    expect((await init(folder)).stdout).toContain('nothing to do: all is there\n');
    expect(textIn(folder, 'compose.yaml')).toBe(before);
  });

  it('keeps VERSION and the lines of .gitignore', async () => {
    const folder = project();
    writeFileSync(join(folder, 'VERSION'), '7\n');
    writeFileSync(join(folder, '.gitignore'), 'node_modules');
    await init(folder, '-t a -p linux/amd64 --first-version 2');
    expect(textIn(folder, 'VERSION')).toBe('7\n');
    expect(textIn(folder, '.gitignore')).toBe('node_modules\n*.mender\n');
  });

  it('takes name and platform from the Compose file', async () => {
    const folder = project(`name: kiosk\n${COMPOSE}    platform: linux/arm/v7\n`);
    await init(folder, '-t a');
    expect(parse(textIn(folder, 'compose.yaml'))).toMatchObject({
      'x-mender': { 'manifest-name': 'kiosk', platform: 'linux/arm/v7' },
    });
  });

  it("takes the rest from the user's configuration", async () => {
    const config = temporaryFolder();
    mkdirSync(join(config, 'mender-docker-delta'));
    const lines = 'device-type: [qemux86-64]\nplatform: linux/amd64\nmodule: app\n';
    writeFileSync(join(config, 'mender-docker-delta/config.yaml'), lines);
    const folder = project();
    await init(folder, '', { XDG_CONFIG_HOME: config });
    expect(parse(textIn(folder, 'compose.yaml'))).toMatchObject({
      'x-mender': { 'device-type': 'qemux86-64', platform: 'linux/amd64', module: 'app' },
    });
  });

  it.each([
    ['', 'no device-type is given', 2],
    ['-t a', 'no platform is given', 2],
    ['-t a -p nonsense', 'nonsense', 2],
  ])('without a terminal needs what it can not know: %j', async (line, message, exit) => {
    const folder = project();
    const { code, stderr } = await init(folder, line);
    expect(stderr).toContain(message);
    expect(code).toBe(exit);
    expect(textIn(folder, 'compose.yaml')).toBe(COMPOSE);
    expect(existsSync(join(folder, 'VERSION'))).toBe(false);
  });

  it.each(CI_SYSTEMS)('writes the file for %s, and never over another one', async (system) => {
    const folder = project();
    const { path, text } = ciFile(system);
    await init(folder, `-t a -p linux/amd64 --ci ${system}`);
    expect(textIn(folder, path)).toBe(text);
    expect(parse(text)).toBeTypeOf('object');
    writeFileSync(join(folder, path), 'mine');
    await init(folder, `--ci ${system}`);
    expect(textIn(folder, path)).toBe('mine');
  });
});

describe('withSettings', () => {
  it.each([
    ['a: 1\n', { k: 'v' }, 'x-mender:\n  k: v\na: 1\n'],
    ['x-mender:\n    a: 1 # one\nb: 2\n', { k: 'v' }, 'x-mender:\n    k: v\n    a: 1 # one\nb: 2\n'],
    ['x-mender:\n  k: w\n', { k: 'v' }, 'x-mender:\n  k: w\n'],
    ['', { k: '1' }, 'x-mender:\n  k: "1"\n'],
    ['', { k: 'no' }, 'x-mender:\n  k: "no"\n'],
    ['', { k: 'linux/arm/v7' }, 'x-mender:\n  k: linux/arm/v7\n'],
  ])('%j with %j', (text, settings, result) => {
    expect(withSettings(text, settings)).toBe(result);
    expect(parse(result)).toBeTypeOf('object');
  });

  it.each(['x-mender: {a: 1}\n', 'x-mender: {}\n', 'x-mender: text\n'])('refuses %j', (text) => {
    expect(() => withSettings(text, { k: 'v' })).toThrow('x-mender: init completes it only if');
  });
});
