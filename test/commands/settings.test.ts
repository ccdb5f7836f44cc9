import { writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { withComposeSettings } from '../../src/commands/options/settings.ts';
import { cacheFolder, helperCaches } from '../../src/commands/options/cacheFolder.ts';
import { formatBytes } from '../../src/io/amounts.ts';
import { formatTable } from '../../src/commands/terminal/format.ts';
import { homeFolder } from '../../src/commands/terminal/home.ts';
import { requestOf } from '../../src/commands/options/request.ts';
import { parseSize } from '../../src/commands/options/size.ts';
import { PLAIN, layOut } from '../../src/commands/terminal/layout.ts';
import { ScreenProgress } from '../../src/commands/terminal/progress.ts';
import { environmentOptions } from '../../src/config.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

describe('environmentOptions', () => {
  const types = {
    'device-type': { array: true, describe: '' },
    set: { array: true, separator: '\n', describe: '' },
    delta: { type: 'boolean', describe: '' },
    retries: { type: 'number', describe: '' },
    platform: { describe: '' },
    module: { choices: ['app', 'docker-compose'], describe: '' },
  } as const;
  it.each([
    [{ MENDER_DOCKER_DELTA_DEVICE_TYPE: 'a, b' }, { deviceType: ['a', 'b'] }],
    [{ MENDER_DOCKER_DELTA_DEVICE_TYPE: 'a,,b,' }, { deviceType: ['a', 'b'] }],
    [{ MENDER_DOCKER_DELTA_SET: 'a.b=1,2' }, { set: ['a.b=1,2'] }],
    [{ MENDER_DOCKER_DELTA_SET: 'a.b=1,2\r\n\n a.c=3\n' }, { set: ['a.b=1,2', 'a.c=3'] }],
    [{ MENDER_DOCKER_DELTA_DELTA: 'no' }, { delta: false }],
    [{ MENDER_DOCKER_DELTA_DELTA: '1' }, { delta: true }],
    [{ MENDER_DOCKER_DELTA_RETRIES: '3' }, { retries: 3 }],
    [{ MENDER_DOCKER_DELTA_PLATFORM: 'linux/arm64' }, { platform: 'linux/arm64' }],
    [{ MENDER_DOCKER_DELTA_PLATFORM: '', MENDER_DOCKER_DELTA_OTHER: 'x', PLATFORM: 'y' }, {}],
  ])('%j is %j', (environment, options) => {
    expect(environmentOptions(environment, types)).toEqual(options);
  });

  it.each([
    { MENDER_DOCKER_DELTA_DELTA: 'maybe' },
    { MENDER_DOCKER_DELTA_RETRIES: 'many' },
    { MENDER_DOCKER_DELTA_RETRIES: '  ' },
    { MENDER_DOCKER_DELTA_RETRIES: '1e999' },
    { MENDER_DOCKER_DELTA_MODULE: 'k8s' },
  ])('refuses %j', (environment) => {
    expect(() => environmentOptions(environment, types)).toThrow(Object.keys(environment)[0]);
  });
});

describe('withComposeSettings', () => {
  it.each([
    [{}, { 'device-type': 'a' }, { deviceType: ['a'] }],
    [{}, { 'device-type': ['a', 'b'] }, { deviceType: ['a', 'b'] }],
    [{ deviceType: ['x'] }, { 'device-type': 'a' }, { deviceType: ['x'] }],
    [{ delta: true }, { delta: false }, { delta: true }],
    [{}, { delta: false, module: 'docker-compose' }, { delta: false, module: 'docker-compose' }],
    [{}, { 'device-group': 'staging' }, { deviceGroup: 'staging' }],
    [{ menderHost: 'https://a' }, { 'mender-host': 'https://a' }, { menderHost: 'https://a' }],
    [{ menderHost: 'https://a' }, { 'mender-host': 'https://b' }, { menderHost: 'https://a' }],
    [{}, { 'mender-host': 'https://hosted.mender.io' }, {}],
    [{ insecureRegistry: ['a'] }, { 'insecure-registry': ['a', 'b'] }, { insecureRegistry: ['a'] }],
    [{}, {}, {}],
  ])('%j over %j is %j', (flags, settings, merged) => {
    expect(withComposeSettings(flags, settings)).toEqual(merged);
  });

  it.each([
    [{ colour: 'red' }, 'unknown key "colour"'],
    [{ sign: 'key.pem' }, 'unknown key "sign"'],
    [{ delta: 'yes' }, 'delta: expected true or false'],
    [{ module: 'k8s' }, 'module: expected app, docker-compose'],
    [{ platform: { os: 'linux' } }, 'platform: expected a text'],
    [{ 'device-type': 'a\0' }, 'device-type: expected a text'],
    [{ 'mender-host': 'http://evil.example' }, 'a project does not decide where your credentials go'],
    [{ 'insecure-registry': 'registry.lan' }, 'a project does not decide where your credentials go'],
    [{ library: 'https://evil.example' }, 'unknown key "library"'],
  ])('refuses %j', (settings, message) => {
    expect(() => withComposeSettings({}, settings)).toThrow(message);
  });
});

describe('requestOf', () => {
  const needed = { manifest: ['m.yaml'], deviceType: ['a'], platform: ['linux/amd64'] };

  it('fills in every default', () => {
    expect(requestOf(needed, {}, '/srv')).toMatchObject({
      composeFiles: ['/srv/m.yaml'],
      deviceTypes: ['a'],
      compression: 'auto',
      writer: 'auto',
      delta: true,
      useMetadata: true,
      allowKeyChange: false,
      strictBase: false,
      encoder: 'auto',
      effort: 'default',
    });
  });

  it.each([
    [{ ...needed, manifest: [] }, {}, 'no Compose file is given'],
    [{ ...needed, deviceType: [] }, {}, 'no device type is given'],
    [{ manifest: ['m'], deviceType: ['a'] }, {}, 'no platform is given'],
    [
      { ...needed, platform: ['linux/amd64, linux/arm64'] },
      {},
      'expected one platform, found linux/amd64, linux/arm64',
    ],
    [{ ...needed, serviceImage: ['web'] }, {}, 'expected -i SERVICE=IMAGE'],
    [{ ...needed, serviceFile: ['web='] }, {}, 'expected -f SERVICE=FILE'],
    [{ ...needed, artifactVersion: '1/2' }, {}, 'found "1/2"'],
    [{ ...needed, artifactVersion: 'a b' }, {}, 'found "a b"'],
    [{ ...needed, artifactVersion: '1'.repeat(101) }, {}, 'up to 100 printable characters'],
    [{ ...needed, manifestName: 'a'.repeat(101) }, {}, 'up to 100 characters, found 101'],
    [{ ...needed, deviceType: ['x', ' '] }, {}, 'a device type is empty'],
    [{ ...needed, softwareFilesystem: '*' }, {}, '--software-filesystem "*"'],
    [{ ...needed, softwareFilesystem: '' }, {}, '--software-filesystem ""'],
    [{ ...needed, softwareFilesystem: 'a b' }, {}, '--software-filesystem "a b"'],
    [needed, { SOURCE_DATE_EPOCH: 'today' }, 'SOURCE_DATE_EPOCH=today'],
  ])('refuses %j with %j', (flags, environment, message) => {
    expect(() => requestOf(flags, environment, '/srv')).toThrow(message);
  });
});

describe('paths of the command line', () => {
  it('start at the working folder', () => {
    const folder = temporaryFolder();
    for (const name of ['key.pem', 'web.tar']) writeFileSync(join(folder, name), '');
    const flags = { manifest: ['m.yaml'], deviceType: ['a'], platform: ['linux/amd64'] };
    const paths = { sign: 'key.pem', serviceFile: ['web=web.tar'], artifactFilename: 'a.mender' };
    expect(requestOf({ ...flags, ...paths }, {}, folder)).toMatchObject({
      composeFiles: [join(folder, 'm.yaml')],
      signKey: join(folder, 'key.pem'),
      serviceFiles: new Map([['web', join(folder, 'web.tar')]]),
      output: join(folder, 'a.mender'),
      outputFolder: folder,
    });
  });
});

describe('parseSize', () => {
  it.each([
    ['4096', 4096],
    ['500M', 5e8],
    ['64G', 64e9],
    ['2GiB', 2 ** 31],
    ['1.5k', 1500],
  ])('%s is %i', (text, bytes) => {
    expect(parseSize(text, '--x')).toBe(bytes);
  });

  it.each(['', 'G', '-1', '1X', '1 2'])('refuses %j', (text) => {
    expect(() => parseSize(text, '--x')).toThrow('--x');
  });
});

describe('cache folders', () => {
  const place = (environment: Record<string, string>) => ({
    environment,
    folder: '/work',
    home: homeFolder(environment),
  });
  it.each([
    [undefined, { HOME: '/h' }, '/h/.cache/mender-docker-delta'],
    [undefined, { HOME: '/h', XDG_CACHE_HOME: '/c' }, '/c/mender-docker-delta'],
    [undefined, { HOME: '/h', MENDER_HELPER_CACHE_DIR: '/m' }, '/m'],
    ['/f', { MENDER_HELPER_CACHE_DIR: '/m' }, '/f'],
    ['f', {}, '/work/f'],
    [undefined, { MENDER_HELPER_CACHE_DIR: 'm' }, '/work/m'],
    [
      undefined,
      { HOME: '/h', XDG_CACHE_HOME: '', MENDER_HELPER_CACHE_DIR: '' },
      '/h/.cache/mender-docker-delta',
    ],
    [undefined, { HOME: '' }, join(userInfo().homedir, '.cache/mender-docker-delta')],
  ])('%s and %j give %s', (flag, environment, folder) => {
    expect(cacheFolder(flag, place(environment))).toBe(folder);
  });

  it('of the helper are where it keeps its own', () => {
    expect(helperCaches(place({ HOME: '/h', MENDER_HELPER_CACHE_DIR: '/m' }))).toEqual([
      '/m',
      '/h/.cache/mender-docker-lifecycle-helper',
    ]);
  });
});

describe('formats', () => {
  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1.00 KB'],
    [9_949, '9.95 KB'],
    [99_900, '99.9 KB'],
    [999_499, '999 KB'],
    [999_501, '1.00 MB'],
    [5.2e9, '5.20 GB'],
    [7e15, '7000 TB'],
  ])('%i bytes are %s', (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });

  it('aligns tables', () => {
    const rows = [
      ['long', '1'],
      ['b', '22'],
    ];
    expect(layOut(formatTable(['a', 'size'], rows, [1]), PLAIN)).toBe('a     size\nlong     1\nb       22');
  });
});

describe('progress', () => {
  function recorded(
    isTTY: boolean,
    columns = 80,
  ): {
    text: () => string;
    clock: { now: number };
    progress: ScreenProgress;
  } {
    let written = '';
    const clock = { now: 0 };
    const screen = { isTTY, columns, write: (text: string) => (written += text) };
    return { text: () => written, clock, progress: new ScreenProgress(screen, { now: () => clock.now }) };
  }

  it.each([true, false])('says nothing of what ends within a second (terminal: %s)', (isTTY) => {
    const { text, progress } = recorded(isTTY);
    const task = progress.start('quick', 10);
    task.advance(10);
    task.end();
    expect(text()).toBe('');
  });

  it('does not call done what was broken off', () => {
    const { text, clock, progress } = recorded(false);
    const task = progress.start('layer', 4e6);
    clock.now = 2_000;
    task.advance(1e6);
    task.end();
    expect(text()).toBe('layer: 1.00 MB of 4.00 MB (25 %)\n');
  });

  it('writes lines into a log', () => {
    const { text, clock, progress } = recorded(false);
    const task = progress.start('layer', 4e6);
    clock.now = 11_000;
    task.advance(1e6);
    clock.now = 12_000;
    task.advance(3e6);
    task.end();
    expect(text()).toBe(
      'layer: 1.00 MB of 4.00 MB (25 %), 90.9 KB/s, 33 s left\nlayer: done, 4.00 MB in 12 s\n',
    );
  });

  it('draws bars on a terminal and takes them away', () => {
    const { text, clock, progress } = recorded(true);
    const task = progress.start('layer', 100);
    clock.now = 2_000;
    task.advance(50);
    expect(text()).toBe('[############------------] layer: 50 B of 100 B (50 %), 25 B/s, 2.0 s left\n');
    task.end();
    expect(text().endsWith('\x1b[1A\x1b[J')).toBe(true);
  });

  it.each([
    [40, 'layer: 50 B of 100 B (50 %), 25 B/s'],
    [16, 'layer: 50 B of '],
  ])('fits into %i columns', (columns, line) => {
    const { text, clock, progress } = recorded(true, columns);
    const task = progress.start('layer', 100);
    clock.now = 2_000;
    task.advance(50);
    expect(text()).toBe(`${line}\n`);
  });
});
