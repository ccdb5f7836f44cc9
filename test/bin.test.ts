import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { Linter } from 'eslint';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from './helpers/temporary.ts';

const BIN = resolve(import.meta.dirname, '../bin');
const PROGRAM = join(BIN, 'mender-docker-delta.js');

describe('bin/mender-docker-delta.js', () => {
  it('has only syntax that every Node.js reads', () => {
    const text = readFileSync(PROGRAM, 'utf8').replace(/^#!.*/, '');
    const options = { ecmaVersion: 5, sourceType: 'script' } as const;
    expect(new Linter().verify(text, [{ languageOptions: options }])).toEqual([]);
  });

  it.each(['0.10.48', '8.17.0', '18.20.8', '20.18.3'])('tells Node.js %s what is needed', (version) => {
    const preload = join(temporaryFolder(), 'old.cjs');
    const versions = JSON.stringify({ node: version });
    writeFileSync(
      preload,
      `Object.defineProperty(process, 'versions', { value: ${versions} });
       Object.defineProperty(process, 'version', { value: 'v${version}' });`,
    );
    const run = spawnSync(process.execPath, ['--require', preload, PROGRAM, '--version'], {
      encoding: 'utf8',
    });
    expect([run.status, run.stdout]).toEqual([7, '']);
    expect(run.stderr).toBe(
      `error: mender-docker-delta needs Node.js 20.19 or newer, and this is v${version}\n` +
        '  try: install a newer Node.js, for example from https://nodejs.org\n',
    );
  });

  it.each(['--env-file prod.env', '--env-file=prod.env'])('runs no code of a project with %s', (option) => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'evil.cjs'), "require('node:fs').writeFileSync('ran', '')");
    writeFileSync(join(folder, 'prod.env'), 'NODE_OPTIONS=--require ./evil.cjs\n');
    symlinkSync(PROGRAM, join(folder, 'tool'));
    const run = spawnSync(join(folder, 'tool'), ['build', '.', ...option.split(' ')], {
      cwd: folder,
      encoding: 'utf8',
    });
    expect(run.stderr).not.toContain('node:');
    expect(existsSync(join(folder, 'ran'))).toBe(false);
  });

  it('says what to do in a checkout that is not built', () => {
    const folder = temporaryFolder();
    cpSync(BIN, join(folder, 'bin'), { recursive: true });
    const run = spawnSync(process.execPath, [join(folder, 'bin/mender-docker-delta.js'), 'build'], {
      encoding: 'utf8',
    });
    expect([run.status, run.stdout]).toEqual([8, '']);
    expect(run.stderr).toMatch(
      /^error: the program is not built: there is no .*cli\.js\n {2}try: .*scripts\/setup/,
    );
    expect(run.stderr).not.toContain('ERR_MODULE');
  });

  it('needs the version that package.json names', () => {
    const { engines } = JSON.parse(readFileSync(join(BIN, '../package.json'), 'utf8')) as {
      engines: { node: string };
    };
    const [, major, minor] = /^>=(\d+)\.(\d+)$/.exec(engines.node)!;
    expect(readFileSync(PROGRAM, 'utf8')).toContain(`var OLDEST = [${major}, ${minor}];`);
  });
});

describe('the folder for compiled code', () => {
  const { compileCacheFolder } = createRequire(import.meta.url)(join(BIN, 'compileCache.js')) as {
    compileCacheFolder: (environment: Record<string, string>) => string | undefined;
  };
  const NAME = 'mender-docker-delta-compiled';

  it('is a private folder in the cache folder of the user', () => {
    const home = temporaryFolder();
    expect(compileCacheFolder({ HOME: home })).toBe(join(home, '.cache', NAME));
    expect(compileCacheFolder({ HOME: home, XDG_CACHE_HOME: join(home, 'x') })).toBe(join(home, 'x', NAME));
    expect(compileCacheFolder({ HOME: home, XDG_CACHE_HOME: 'relative' })).toBe(join(home, '.cache', NAME));
    expect(modeOf(join(home, 'x', NAME))).toBe('700');
  });

  it('is the folder that a link of the user leads to', () => {
    const home = temporaryFolder();
    mkdirSync(join(home, 'elsewhere'));
    symlinkSync('elsewhere', join(home, '.cache'));
    expect(compileCacheFolder({ HOME: home })).toBe(join(home, 'elsewhere', NAME));
  });

  it('is the one that Node.js keeps compiled code in', () => {
    const home = temporaryFolder();
    const preload = join(home, 'newer.cjs');
    const enable = '(folder) => process.stdout.write(`compiled: ${folder}\\n`)';
    writeFileSync(preload, `require('node:module').enableCompileCache = ${enable};`);
    const run = spawnSync(process.execPath, ['--require', preload, PROGRAM, '--version'], {
      env: { PATH: process.env['PATH'], HOME: home },
      encoding: 'utf8',
    });
    expect(run.stdout).toContain(`compiled: ${join(home, '.cache', NAME)}\n`);
  });

  const unsafe: [string, (folder: string) => void][] = [
    ['others may open it', (folder) => chmodSync(folder, 0o750)],
    ['others may replace it', (folder) => chmodSync(join(folder, '..'), 0o777)],
    ['others may replace a folder above', (folder) => chmodSync(join(folder, '../..'), 0o777)],
    ['another user owns it', (folder) => chownSync(folder, 65534, 65534)],
    ['another user owns the folder above', (folder) => chownSync(join(folder, '..'), 65534, 65534)],
  ];

  it.each(unsafe)('is not used if %s', (_, spoil) => {
    if (process.getuid!() !== 0) throw new Error('this test plays two users and needs root');
    const home = join(temporaryFolder(), 'home');
    const folder = join(home, '.cache', NAME);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    spoil(folder);
    expect(compileCacheFolder({ HOME: home })).toBeUndefined();
  });

  it('is not used if it is a file or leads to one', () => {
    const home = temporaryFolder();
    mkdirSync(join(home, '.cache'));
    writeFileSync(join(home, '.cache', NAME), '');
    expect(compileCacheFolder({ HOME: home })).toBeUndefined();
  });

  it('is used in a shared folder where nobody can replace it', () => {
    const shared = temporaryFolder();
    chmodSync(shared, 0o1777);
    expect(compileCacheFolder({ XDG_CACHE_HOME: shared })).toBe(join(shared, NAME));
  });
});

function modeOf(path: string): string {
  return execFileSync('stat', ['-c', '%a', path], { encoding: 'utf8' }).trim();
}
