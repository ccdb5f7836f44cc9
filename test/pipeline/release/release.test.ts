import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { LOG_LEVELS } from '../../../src/io/log.ts';
import type { CliRun } from '../../helpers/cli.ts';
import { runCli } from '../../helpers/cli.ts';
import { buildImage, writeOciArchive } from '../../helpers/images.ts';
import { simulateDevice } from '../../helpers/menderServer/device.ts';
import type { MenderServer } from '../../helpers/menderServer/menderServer.ts';
import { menderServer } from '../../helpers/menderServer/menderServer.ts';
import { temporaryFolder } from '../../helpers/temporary.ts';

const text = (seed: number): Buffer =>
  Buffer.from(Array.from({ length: 900 }, (_, n) => `line ${n * seed}\n`).join(''));
const images = [1, 2].map((seed) => buildImage({ layers: [{ base: text(7) }, { app: text(seed) }] }));

interface Shop {
  server: MenderServer;
  folder: string;
  /** Builds release 1 or 2 and brings it to the server. */
  build: (release: 1 | 2, ...flags: string[]) => Promise<CliRun>;
  /** The version that the next build would be made against. */
  base: () => string | undefined;
}

async function shop(environment: Record<string, string> = {}): Promise<Shop> {
  const server = await menderServer();
  const folder = temporaryFolder();
  for (const [index, image] of images.entries())
    writeOciArchive(join(folder, `${index + 1}.tar`), { [`shop/web:${index + 1}`]: image });
  const build: Shop['build'] = (release, ...flags) => {
    const settings = `x-mender: {device-type: qemu, platform: linux/amd64, manifest-name: shop}`;
    writeFileSync(
      join(folder, 'compose.yaml'),
      `${settings}\nservices:\n  web: {image: "shop/web:${release}"}\n`,
    );
    const version = ['--artifact-version', `${release}.0`, '-a', join(folder, `${release}.mender`)];
    const own = [
      '-f',
      `web=${join(folder, `${release}.tar`)}`,
      '--cache-dir',
      join(folder, 'cache'),
      '--poll-interval',
      '1s',
    ];
    return runCli(['build', join(folder, 'compose.yaml'), ...version, ...own, ...flags], {
      HOME: folder,
      MENDER_PAT: server.token,
      MENDER_DOCKER_DELTA_MENDER_HOST: server.url,
      ...environment,
    });
  };
  const remembered = join(folder, 'cache/v1/applications/shop.json');
  const base = (): string | undefined =>
    existsSync(remembered)
      ? (JSON.parse(readFileSync(remembered, 'utf8')) as { version: string }).version
      : undefined;
  return { server, folder, build, base };
}

const device = (id: string) => ({ id, type: 'qemu', group: 'staging', provides: {} });

describe('a release', () => {
  it('is built, uploaded, deployed and waited for, full and then as a delta', async () => {
    const { server, build, base } = await shop();
    simulateDevice(server, device('d1'), { outcome: 'success' });
    for (const release of [1, 2] as const) {
      const { code, stdout, stderr } = await build(release, '--devices', 'd1');
      expect([code, stderr]).toEqual([0, expect.stringContaining('success')]);
      expect(stdout).toMatch(new RegExp(`uploaded shop-${release}\\.0 .*deployment \\S+: succeeded`, 's'));
      expect(base()).toBe(`${release}.0`);
    }
    const [, second] = [...server.state.artifacts.values()];
    expect(JSON.stringify(second)).toContain('data-docker.mender-docker-compose.shop.version');
  });

  it('that fails on a device ends with exit code 9, shows its log, and does not become the next base', async () => {
    const { server, build, base } = await shop();
    simulateDevice(server, device('d1'), { outcome: 'failure', log: ['no space left'] });
    const { code, stdout } = await build(1, '--devices', 'd1');
    expect([code, stdout]).toEqual([9, expect.stringContaining('no space left')]);
    expect(base()).toBeUndefined();
  });

  it('that is only uploaded is the base of the next one', async () => {
    const { build, base } = await shop();
    expect(await build(1)).toMatchObject({ code: 0 });
    expect(base()).toBe('1.0');
  });

  it('without a token stays here, and says how to go on', async () => {
    const { build, base, folder } = await shop({ MENDER_PAT: '' });
    const { code, stderr } = await build(1);
    expect([code, stderr]).toEqual([0, expect.stringContaining(`upload ${join(folder, '1.mender')}`)]);
    expect([base(), existsSync(join(folder, '1.mender'))]).toEqual([undefined, true]);
  });

  it.each([
    ['a wrong token', { MENDER_PAT: 'wrong-token-of-mine' }, [], 4],
    ['an unknown group', {}, ['-g', 'nowhere'], 3],
    ['a server that is not there', {}, ['-h', 'http://127.0.0.1:9'], 5],
  ])('to %s is refused before anything is built', async (_, environment, flags, exitCode) => {
    const { build, base, folder } = await shop(environment);
    const { code, stderr } = await build(1, ...flags);
    expect([code, stderr]).toEqual([exitCode, expect.stringMatching(/^ {2}try: /m)]);
    expect([base(), existsSync(join(folder, '1.mender'))]).toEqual([undefined, false]);
  });

  it.each([
    ['upload', /^POST .*\/artifacts/],
    ['deploy', /^POST .*\/deployments$/],
  ])('to a server that refuses the %s keeps the built file and names the next step', async (step, call) => {
    const { server, build, folder } = await shop();
    server.faults.plan(call, { kind: 'status', status: 403, message: 'no' }, 99);
    simulateDevice(server, device('d1'), { outcome: 'success' });
    const { code, stderr } = await build(1, '--devices', 'd1');
    expect([code, stderr]).toEqual([4, expect.stringContaining(`mender-docker-delta ${step} `)]);
    expect(existsSync(join(folder, '1.mender'))).toBe(true);
  });

  it.each([
    ['--no-upload with a group', ['--no-upload', '-g', 'staging'], 'needs the artifact on the server'],
    ['two kinds of targets', ['-g', 'staging', '--all-devices'], 'expected one of'],
    ['an invalid timeout', ['-g', 'staging', '--wait-timeout', 'long'], '--wait-timeout'],
  ])('refuses %s before anything is built', async (_, flags, message) => {
    const { build, folder } = await shop();
    const { code, stderr } = await build(1, ...flags);
    expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
    expect(existsSync(join(folder, '1.mender'))).toBe(false);
  });

  it.each(LOG_LEVELS)('shows no token at log level %s, in success and in failure', async (level) => {
    const { server, build } = await shop();
    simulateDevice(server, device('d1'), { outcome: 'success' });
    const runs = [
      await build(1, '--devices', 'd1', '-l', level),
      await build(1, '-g', 'nowhere', '-l', level),
    ];
    for (const { stdout, stderr } of runs) expect(stdout + stderr).not.toContain(server.token);
  });
});
