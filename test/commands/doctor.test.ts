import { lstatSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { judgeXz } from '../../src/pipeline/doctor/checkMachine.ts';
import { runCli } from '../helpers/cli.ts';
import { freePort } from '../helpers/freePort.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

describe('doctor', () => {
  it.each([
    ['the default server without a token', '', {}, 'warning', 0],
    ['the default server with a token', '', { MENDER_PAT: 'a-token' }, 'problem', 7],
    ['a server of the command line', '-h DEAD', {}, 'problem', 7],
    ['a server of the environment', '', { MENDER_DOCKER_DELTA_MENDER_HOST: 'DEAD' }, 'problem', 7],
  ])('that does not reach %s', async (_, line, given, state, exit) => {
    const dead = `http://127.0.0.1:${await freePort()}`;
    const environment = Object.fromEntries(
      Object.entries(given).map(([name, value]) => [name, value.replace('DEAD', dead)]),
    );
    const words = line.replace('DEAD', dead).split(' ').filter(Boolean);
    const run = await runCli(['doctor', '--json', ...words], {
      HOME: temporaryFolder(),
      // Nothing is reached by a proxy at which nobody listens.
      HTTPS_PROXY: dead,
      ...environment,
    });
    expect(run.code, run.stderr).toBe(exit);
    const { findings } = JSON.parse(run.stdout) as { findings: { check: string }[] };
    expect(findings.find(({ check }) => check === 'server')).toMatchObject({ state });
  });
});

it.each([
  ['xz (XZ Utils) 5.4.1', true, 'ok'],
  ['xz (XZ Utils) 5.4.1', false, 'ok'],
  [undefined, true, 'warning'],
  [undefined, false, 'problem'],
])('doctor judges xz %s, with the library: %s', (version, hasLibrary, state) => {
  expect(judgeXz(version, hasLibrary)).toMatchObject({ check: 'xz', state });
});

it('doctor says that the platform is not set, and checks no images for another one', async () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'compose.yaml'), 'services: {web: {image: localhost:1/web}}\n');
  const run = await runCli(['doctor', folder, '--json'], { HOME: temporaryFolder() });
  const { findings } = JSON.parse(run.stdout) as { findings: { check: string; state: string }[] };
  const found = findings.filter(({ check }) => check === 'platform' || check.includes('image'));
  expect(found).toEqual([
    expect.objectContaining({
      check: 'platform',
      state: 'warning',
      found: expect.stringContaining('not set') as string,
    }),
  ]);
});

describe('the artifact of doctor --probe-artifact', () => {
  const probe = async (): Promise<string> => {
    const file = join(temporaryFolder(), 'probe.mender');
    expect((await runCli(['doctor', '--probe-artifact', file, '-t', 'rpi4'])).code).toBe(0);
    return file;
  };

  it.each<[string, (path: string) => void]>([
    ['a Compose file', (path) => writeFileSync(path, 'services: {}\n')],
    ['an empty file', (path) => writeFileSync(path, '')],
    ['a folder', (path) => mkdirSync(path)],
    ['a link', (path) => symlinkSync('elsewhere', path)],
  ])('does not replace %s', async (_name, make) => {
    const file = join(temporaryFolder(), 'there');
    make(file);
    const state = () => (({ ino, mtimeMs, size }) => [ino, mtimeMs, size])(lstatSync(file));
    const before = state();
    const { code, stderr } = await runCli(['doctor', '--probe-artifact', file, '-t', 'rpi4']);
    expect(code).toBe(2);
    expect(stderr).toContain(`error: writing ${file}: `);
    expect(state()).toEqual(before);
  });

  it('replaces an older one', async () => {
    const file = await probe();
    expect((await runCli(['doctor', '--probe-artifact', file, '-t', 'rpi4'])).code).toBe(0);
  });

  it('is not supported by verify', async () => {
    const file = await probe();
    const { code, stdout, stderr } = await runCli(['verify', file], { HOME: temporaryFolder() });
    expect([code, stdout]).toEqual([7, '']);
    expect(stderr).toBe(
      `error: verifying ${file}: it is for update module single-file, and verify checks only artifacts for app and docker-compose\n` +
        '  try: mender-docker-delta inspect checks its checksums and shows what is in it\n',
    );
  });

  it('is shown by inspect without empty parts', async () => {
    const { code, stdout } = await runCli(['inspect', await probe()]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^module +single-file$/m);
    expect(stdout).not.toMatch(/^(manifests|image)\b|^\w+ *$|\n\n/m);
  });
});
