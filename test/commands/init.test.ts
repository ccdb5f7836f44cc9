import { execFileSync } from 'node:child_process';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  realpathSync,
  writeFileSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { CI_SYSTEMS, ciFile } from '../../src/commands/init/ciFiles.ts';
import { withSettings } from '../../src/commands/init/withSettings.ts';
import { runCli } from '../helpers/cli.ts';
import { parsePlatform } from '../../src/oci/platform.ts';
import { buildImage, buildIndex, writeOciArchive } from '../helpers/images.ts';
import { onTerminal } from '../helpers/pseudoTerminal.ts';
import { push, startRegistry } from '../helpers/registry.ts';
import type { RunningRegistry } from '../helpers/registry.ts';
import type { Step } from '../helpers/pseudoTerminal.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

const COMPOSE = `# The shop.
services:
  web:   # in front
    image: 'example.test/web:1'
`;

let registry: RunningRegistry;
beforeAll(async () => {
  registry = await startRegistry();
  const [amd, arm] = ['linux/amd64', 'linux/arm/v7'].map((platform) =>
    buildImage({ platform: parsePlatform(platform), layers: [{ a: platform }] }),
  );
  const images = { amd: amd!, arm: arm!, both: buildIndex([amd!, arm!]) };
  for (const [tag, image] of Object.entries(images)) await push(registry.host, 'x', tag, image);
});
afterAll(() => registry.stop());

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
    expect(textIn(folder, '.gitignore')).toBe('*.mender\n*.mender.*\n*.report.html\n');
  });

  it.each([
    ['-t rpi4', 'device-type: rpi4\n', ['rpi4']],
    ['-t rpi4 -t rpi5', 'device-type: [rpi4, rpi5]\n', ['rpi4', 'rpi5']],
    ['-t rpi4 -t rpi4', 'device-type: rpi4\n', ['rpi4']],
    ['-t rpi4 -t 5', 'device-type: [rpi4, "5"]\n', ['rpi4', '5']],
  ])('writes and reports all device types of %s', async (line, text, types) => {
    const folder = project();
    const { stdout } = await init(folder, `${line} -p linux/arm64 --json`);
    expect(JSON.parse(stdout)).toMatchObject({ settings: { 'device-type': types } });
    expect(textIn(folder, 'compose.yaml')).toContain(`\n  ${text}`);
    expect(JSON.parse((await init(folder, '--json')).stdout)).toMatchObject({
      written: [],
      settings: { 'device-type': types },
    });
  });

  it.each([
    ['-p linux/amd64 -p linux/arm64', '[linux/amd64, linux/arm64]'],
    ['-p linux/amd64,linux/aarch64', '[linux/amd64, linux/arm64]'],
    ['-p linux/arm64 -p linux/arm64/v8', 'linux/arm64'],
  ])('writes all platforms of %s', async (line, text) => {
    const folder = project();
    const { code, stderr } = await init(folder, `-t a ${line}`);
    expect(code, stderr).toBe(0);
    expect(textIn(folder, 'compose.yaml')).toContain(`\n  platform: ${text}\n`);
  });

  it.each([
    ['one image', { web: 'arm' }, 'linux/arm/v7'],
    ['two images', { web: 'both', api: 'arm' }, 'linux/arm/v7'],
    ['images that share two', { web: 'both', api: 'both' }, undefined],
    ['images that share none', { web: 'amd', api: 'arm' }, undefined],
    ['an image that is not there', { web: 'arm', api: 'gone' }, undefined],
  ])('takes the only platform of %s', async (_, images, platform) => {
    const lines = Object.entries(images).map(
      ([service, tag]) => `  ${service}: {image: "${registry.host}/x:${tag}"}`,
    );
    const folder = project(['services:', ...lines, ''].join('\n'));
    const { code, stderr } = await init(folder, '-t a');
    expect([code, stderr.includes('no platform is given')]).toEqual(platform ? [0, false] : [2, true]);
    if (platform) expect(textIn(folder, 'compose.yaml')).toContain(`\n  platform: ${platform}\n`);
  });

  it('takes the Compose file itself', async () => {
    const folder = project();
    writeFileSync(join(folder, 'base.yaml'), COMPOSE);
    const { code, stdout } = await init(join(folder, 'base.yaml'), '-t a -p linux/amd64');
    expect(code).toBe(0);
    expect(stdout).toMatch(/ build \S+base\.yaml --no-delta --release\n$/);
    expect(parse(textIn(folder, 'base.yaml'))).toHaveProperty('x-mender');
    expect(textIn(folder, 'compose.yaml')).toBe(COMPOSE);
  });

  it('in an empty folder says which file to write', async () => {
    const { code, stderr } = await init(temporaryFolder());
    expect(code).toBe(3);
    expect(stderr).toContain('try: write a compose.yaml there (see docs/quick-start.md), or name another');
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

  it.each([
    ['a byte order mark', `\ufeff${COMPOSE}`, `\ufeffx-mender:\n  manifest-name: shop\n`],
    ['JSON', '{"services": {"web": {"image": "a/b:1"}}}', '{"x-mender": { "manifest-name": "shop", '],
    ['indented keys', COMPOSE.replace(/^(?=.)/gm, '  '), '  x-mender:\n    manifest-name: shop\n'],
    ['CRLF', COMPOSE.replaceAll('\n', '\r\n'), 'x-mender:\r\n  manifest-name: shop\r\n'],
    ['a start of the document', `---\n${COMPOSE}`, '---\nx-mender:\n'],
    ['a comment that only Compose takes', `${COMPOSE.trimEnd()}#c\n`, 'x-mender:\n'],
    ['two documents', `${COMPOSE}---\n${COMPOSE}`, 'x-mender:\n'],
  ])('keeps the rest of a Compose file with %s', async (_name, compose, start) => {
    const folder = project(compose);
    const { code, stderr } = await init(folder, '-t a -p linux/amd64');
    expect(code, stderr).toBe(0);
    expect(textIn(folder, 'compose.yaml').startsWith(start)).toBe(true);
    const plan = await runCli(['plan', folder, '--artifact-version', '1', '--json', '--mode', 'offline'], {
      HOME: folder,
    });
    // The image is nowhere, and is looked for: the Compose file is valid.
    expect(plan.stderr).toMatch(/^error: no image .* for linux\/amd64 in: cache/);
    expect((await init(folder)).stdout).toContain('nothing to do');
  });

  it.each([
    ['linux/arm46', 'there are no images for the architecture arm46', 'did you mean arm64?'],
    ['linux/amd46', 'there are no images for the architecture amd46', 'did you mean amd64?'],
    ['linux/z80', 'there are no images for the architecture z80', 'use one of 386, amd64'],
  ])('refuses the platform %s', async (platform, message, advice) => {
    const folder = project();
    const { code, stderr } = await init(folder, `-t a -p ${platform}`);
    expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
    expect(stderr).toContain(advice);
    expect(existsSync(join(folder, 'VERSION'))).toBe(false);
  });

  it.each([
    ['VERSION is a folder', 'mkdir VERSION', 'VERSION: expected a regular file or none'],
    ['.gitignore is a folder', 'mkdir .gitignore', '.gitignore: expected a regular file or none'],
    ['VERSION is a link to nothing', 'ln -s gone VERSION', 'VERSION: no such file or folder'],
    ['.gitignore is a link out', 'ln -s ../outside/a .gitignore', '.gitignore: it would be written to'],
    ['.github is a link out', 'ln -s ../outside .github', 'mender.yml: it would be written to'],
    ['.github is a file', 'touch .github', 'mender.yml: a part of the path is a file'],
    [
      'the Compose file is a link out',
      'mv compose.yaml ../outside && ln -s ../outside/compose.yaml .',
      'link out',
    ],
  ])('writes nothing where %s', async (_name, script, message) => {
    const folder = project();
    const outside = join(folder, '../outside');
    mkdirSync(outside);
    writeFileSync(join(outside, 'a'), '');
    execFileSync('sh', ['-c', script], { cwd: folder });
    const before = readdirSync(outside);
    const { code, stderr } = await init(folder, '-t a -p linux/amd64 --ci github');
    expect(stderr).toContain(message);
    expect(code).toBe(2);
    expect(textIn(folder, 'compose.yaml')).toBe(COMPOSE);
    expect(readdirSync(outside)).toEqual(before);
    expect(readFileSync(join(outside, 'a'), 'utf8')).toBe('');
  });

  it('writes through a link inside the project', async () => {
    const folder = project();
    execFileSync('sh', ['-c', 'mv compose.yaml real.yaml && ln -s real.yaml compose.yaml'], { cwd: folder });
    await init(folder, '-t a -p linux/amd64');
    expect(lstatSync(join(folder, 'compose.yaml')).isSymbolicLink()).toBe(true);
    expect(parse(textIn(folder, 'real.yaml'))).toHaveProperty('x-mender');
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
    await init(folder, '-t a -p linux/amd64');
    expect(textIn(folder, 'VERSION')).toBe('7\n');
    expect(textIn(folder, '.gitignore')).toBe('node_modules\n*.mender\n*.mender.*\n*.report.html\n');
  });

  it.each([
    ['*.mender', '*.mender\n*.mender.*\n*.report.html\n'],
    ['*.report.html\r\n*.mender.*\r\n*.mender\r\n', '*.report.html\r\n*.mender.*\r\n*.mender\r\n'],
    ['*.mender.*\n', '*.mender.*\n*.mender\n*.report.html\n'],
  ])('completes the .gitignore %j', async (before, after) => {
    const folder = project();
    writeFileSync(join(folder, '.gitignore'), before);
    await init(folder, '-t a -p linux/amd64');
    expect(textIn(folder, '.gitignore')).toBe(after);
  });

  describe('on a prepared project', () => {
    const PREPARED = `x-mender:
  manifest-name: shop
  device-type: [rpi4, rpi5]
  platform: linux/arm64/v8
${COMPOSE}`;
    const prepared = (): string => {
      const folder = project(PREPARED);
      writeFileSync(join(folder, 'VERSION'), '7\n');
      return folder;
    };

    it.each([
      ['-t other', '--device-type other: x-mender of FOLDER/compose.yaml says rpi4, rpi5'],
      ['-t rpi4', '--device-type rpi4: x-mender of FOLDER/compose.yaml says rpi4, rpi5'],
      ['-p linux/amd64', '--platform linux/amd64: x-mender of FOLDER/compose.yaml says linux/arm64'],
      ['-m kiosk', '--manifest-name kiosk: x-mender of FOLDER/compose.yaml says shop'],
      ['--first-version 2', '--first-version 2: FOLDER/VERSION says "7"'],
    ])('refuses %s, and writes nothing', async (line, message) => {
      const folder = prepared();
      const { code, stderr } = await init(folder, line);
      expect(stderr).toContain(`error: ${message.replace('FOLDER', folder)}\n  try: change `);
      expect(code).toBe(2);
      expect(textIn(folder, 'compose.yaml')).toBe(PREPARED);
      expect(existsSync(join(folder, '.gitignore'))).toBe(false);
    });

    it.each(['', '-t rpi5 -t rpi4', '-p linux/arm64', '-m shop', '--first-version 7'])(
      'reports what the file says: %j',
      async (line) => {
        const folder = prepared();
        const { code, stdout } = await init(folder, `${line} --json`);
        expect(code).toBe(0);
        expect(JSON.parse(stdout)).toMatchObject({
          settings: { 'manifest-name': 'shop', 'device-type': ['rpi4', 'rpi5'], platform: ['linux/arm64'] },
        });
      },
    );

    it('takes several platforms from the command line, as the file has them', async () => {
      const folder = project(PREPARED.replace('linux/arm64/v8', '[linux/arm64, linux/amd64]'));
      for (const line of ['-p linux/amd64,linux/arm64', '-p linux/amd64 -p linux/arm64'])
        expect(await init(folder, line)).toMatchObject({ code: 0 });
      expect((await init(folder, '-p linux/amd64')).code).toBe(2);
    });
  });

  it('takes name and platform from the Compose file', async () => {
    const folder = project(`name: kiosk\n${COMPOSE}    platform: linux/arm/v7\n`);
    await init(folder, '-t a');
    expect(parse(textIn(folder, 'compose.yaml'))).toMatchObject({
      'x-mender': { 'manifest-name': 'kiosk', platform: 'linux/arm/v7' },
    });
  });

  it.each([
    ['My Shop', 'my-shop'],
    ['_shop.d', 'shop-d'],
    ['Ü', 'application'],
  ])('makes a name that build takes from the folder %j', async (name, made) => {
    const folder = join(temporaryFolder(), name);
    mkdirSync(folder);
    writeFileSync(join(folder, 'compose.yaml'), COMPOSE);
    await init(folder, '-t a -p linux/amd64');
    expect(parse(textIn(folder, 'compose.yaml'))).toMatchObject({ 'x-mender': { 'manifest-name': made } });
  });

  it.each(['plain', 'My Shop', "a'b", '$HOME'])('quotes the folder %j in the next command', async (name) => {
    const folder = join(temporaryFolder(), name);
    mkdirSync(folder);
    writeFileSync(join(folder, 'compose.yaml'), COMPOSE);
    const { stdout } = await init(folder, '-t a -p linux/amd64 --json -m shop');
    const { next } = JSON.parse(stdout) as { next: string };
    const words = execFileSync('sh', ['-c', `printf '%s\\n' ${next}`], { encoding: 'utf8' }).split('\n');
    expect(resolve(words[2]!)).toBe(folder);
  });

  it("takes the rest from the user's configuration", async () => {
    const config = temporaryFolder();
    mkdirSync(join(config, 'mender-docker-delta'));
    const lines = 'device-type: [qemux86-64, rpi4]\nplatform: linux/amd64\nmodule: app\n';
    writeFileSync(join(config, 'mender-docker-delta/config.yaml'), lines);
    const folder = project();
    await init(folder, '', { XDG_CONFIG_HOME: config });
    expect(parse(textIn(folder, 'compose.yaml'))).toMatchObject({
      'x-mender': { 'device-type': ['qemux86-64', 'rpi4'], platform: 'linux/amd64', module: 'app' },
    });
  });

  it.each([
    ['', 'no device type and no platform are given\n  try: put x-mender: {device-type', 2],
    ['-p linux/amd64', 'no device type is given', 2],
    ['-t a', 'no platform is given', 2],
    ['-t a -p nonsense', 'nonsense', 2],
    ['-t a -p linux/amd64 -m Shop', '"Shop" can\'t name an application', 2],
    ['-t a -p linux/amd64 --first-version a/b', '--first-version: expected a version', 2],
  ])('without a terminal needs what it can not know: %j', async (line, message, exit) => {
    const folder = project();
    const { code, stderr } = await init(folder, line);
    expect(stderr).toContain(message);
    expect(code).toBe(exit);
    expect(textIn(folder, 'compose.yaml')).toBe(COMPOSE);
    expect(existsSync(join(folder, 'VERSION'))).toBe(false);
  });

  describe.each(CI_SYSTEMS)('--ci %s', (system) => {
    const LINE = `-t a -p linux/amd64 --ci ${system}`;
    const inGit = (below: string): { top: string; folder: string } => {
      const top = realpathSync(temporaryFolder());
      execFileSync('git', ['init', '-q'], { cwd: top });
      const folder = join(top, below);
      mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, 'compose.yaml'), COMPOSE);
      return { top, folder };
    };

    it.each([
      ['.', '.', '.'],
      ['app', '.', 'app'],
      ['a b/ü', '.', 'a b/ü'],
      ['app', 'compose.yaml', 'app/compose.yaml'],
      ['-x', '.', './-x'],
    ])('writes the file to the top of the repository: %s, %s', async (below, named, manifest) => {
      const { top, folder } = inGit(below);
      const { code, stderr } = await init(join(folder, named), LINE);
      expect(code, stderr).toBe(0);
      const { path, text } = ciFile(system, manifest);
      expect(textIn(top, path)).toBe(text);
      expect(manifestIn(text)).toBe(manifest);
    });

    it('writes the file into the project folder without git', async () => {
      const folder = project();
      await init(folder, LINE);
      const { path, text } = ciFile(system, '.');
      expect(textIn(folder, path)).toBe(text);
      expect((await init(folder, `--ci ${system}`)).stdout).toContain('nothing to do');
    });

    it('refuses to replace another file, and writes nothing', async () => {
      const folder = project();
      const { path } = ciFile(system, '.');
      mkdirSync(join(folder, path, '..'), { recursive: true });
      writeFileSync(join(folder, path), 'mine');
      const { code, stderr } = await init(folder, LINE);
      expect(code).toBe(2);
      expect(stderr).toContain(`--ci ${system}: ${join(folder, path)} exists and has other content`);
      expect(textIn(folder, path)).toBe('mine');
      expect(textIn(folder, 'compose.yaml')).toBe(COMPOSE);
    });

    it.each(['${{ secrets.A }}', 'a\nb', '$HOME'])('refuses a folder named %j', async (name) => {
      const { folder } = inGit(name);
      const { code, stderr } = await init(folder, LINE);
      expect(code).toBe(2);
      expect(stderr).toContain('has characters that CI systems replace');
    });
  });

  it('on a terminal asks again after an answer that it can not use', async () => {
    const folder = project();
    const asked = await initOnTerminal(folder, [
      ['Name of the application [shop]', 'Kiosk'],
      ['"Kiosk" can\'t name', 'kiosk'],
      ['Device type', ''],
      ['device-type is needed', ''],
      ['Device type', 'rpi4, rpi5'],
      ['Platform', 'nonsense'],
      ['platform "nonsense" is not', 'linux/arm64'],
      ['Update module', 'dokcer'],
      ['module "dokcer": expected', ''],
      ['CI file (none, github or gitlab) [none]', 'githbu'],
      ['did you mean github?', 'github'],
    ]);
    expect(asked.code, asked.screen).toBe(0);
    expect(parse(textIn(folder, 'compose.yaml'))).toMatchObject({
      'x-mender': {
        'manifest-name': 'kiosk',
        'device-type': ['rpi4', 'rpi5'],
        platform: 'linux/arm64',
        module: 'docker-compose',
      },
    });
    expect(textIn(folder, '.github/workflows/mender.yml')).toBe(ciFile('github', '.').text);
  });

  it('asks nothing on a terminal where all is there', async () => {
    const folder = project();
    await init(folder, '-t rpi4 -p linux/arm64 --ci gitlab');
    const { code, screen } = await initOnTerminal(folder, []);
    expect([code, screen]).toEqual([0, expect.stringContaining('nothing to do') as string]);
  });

  it.each([
    ['Ctrl-D', '\x04', 2, 'the input ended before an answer'],
    ['Ctrl-C', '\x03', 130, 'interrupted'],
  ])('on a terminal ends at %s', async (_, key, code, message) => {
    const folder = project();
    const asked = await initOnTerminal(folder, [['Name of the application', key, '']]);
    expect(asked).toEqual({ code, screen: expect.stringContaining(message) as string });
    expect(textIn(folder, 'compose.yaml')).toBe(COMPOSE);
  });
});

function manifestIn(text: string): unknown {
  const file = parse(text) as {
    variables?: { COMPOSE_MANIFEST: string };
    jobs?: { artifact: { steps: { with?: { manifest?: string } }[] } };
  };
  const steps = file.jobs?.artifact.steps ?? [];
  return file.variables?.COMPOSE_MANIFEST ?? steps.map((step) => step.with?.manifest).find(Boolean);
}

const initOnTerminal = (folder: string, steps: readonly Step[]) =>
  onTerminal('mender-docker-delta init', { folder, steps });

describe('withSettings', () => {
  it.each([
    ['a: 1\n', { k: 'v' }, 'x-mender:\n  k: v\na: 1\n'],
    ['x-mender:\n    a: 1 # one\nb: 2\n', { k: 'v' }, 'x-mender:\n    k: v\n    a: 1 # one\nb: 2\n'],
    ['x-mender:\n  k: w\n', { k: 'v' }, 'x-mender:\n  k: w\n'],
    ['\ufeffa: 1\n', { k: 'v' }, '\ufeffx-mender:\n  k: v\na: 1\n'],
    ['a: 1\r\n', { k: 'v' }, 'x-mender:\r\n  k: v\r\na: 1\r\n'],
    ['  a: 1\n  b: 2\n', { k: 'v' }, '  x-mender:\n    k: v\n  a: 1\n  b: 2\n'],
    ['# c\n  a: 1\n', { k: 'v' }, '  x-mender:\n    k: v\n# c\n  a: 1\n'],
    ['---\na: 1\n', { k: 'v' }, '---\nx-mender:\n  k: v\na: 1\n'],
    ['%YAML 1.2\n--- # c\na: 1\n', { k: 'v' }, '%YAML 1.2\n--- # c\nx-mender:\n  k: v\na: 1\n'],
    ['a: 1\n---\nb: 2\n', { k: 'v' }, 'x-mender:\n  k: v\na: 1\n---\nb: 2\n'],
    ['{"a": 1}', { k: 'v' }, '{"x-mender": { "k": "v" },"a": 1}'],
    ['{\n  "a": 1\n}\n', { k: ['v', 'w'] }, '{\n  "x-mender": { "k": [ "v", "w" ] },\n  "a": 1\n}\n'],
    ['{}', { k: 'no' }, '{"x-mender": { "k": "no" }}'],
    ['# c\n{a: 1} # d\n', { k: 'v' }, '# c\n{"x-mender": { "k": "v" },a: 1} # d\n'],
    ['', { k: '1' }, 'x-mender:\n  k: "1"\n'],
    ['', { k: ['v'] }, 'x-mender:\n  k: v\n'],
    ['', { k: ['v', '1'] }, 'x-mender:\n  k: [v, "1"]\n'],
    ['', { k: 'no' }, 'x-mender:\n  k: "no"\n'],
    ['', { k: 'linux/arm/v7' }, 'x-mender:\n  k: linux/arm/v7\n'],
  ])('%j with %j', (text, settings, result) => {
    expect(withSettings(text, settings)).toBe(result);
    expect(parseAllDocuments(result).map(({ errors }) => errors)).not.toContainEqual([expect.anything()]);
  });

  it.each([
    ['a list', '- a\n'],
    ['a text', 'nonsense\n'],
    ['a key behind an anchor on its line', '&a a: 1\n  b: [\n'],
    ['UTF-16', Buffer.from('a: 1\n', 'utf16le').toString('utf8')],
  ])('refuses %s, and says what to add', (_name, text) => {
    expect(() => withSettings(text, { k: 'v' })).toThrow("init can't add x-mender");
    expect(() => withSettings(text, { k: 'v' })).toThrow(
      expect.objectContaining({ hint: 'add by hand: x-mender: { "k": "v" }' }),
    );
  });

  it.each(['x-mender: {a: 1}\n', 'x-mender: {}\n', 'x-mender: text\n'])('refuses %j', (text) => {
    expect(() => withSettings(text, { k: 'v' })).toThrow('x-mender: init completes it only if');
  });
});
