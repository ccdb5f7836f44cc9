import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readDeviceReport } from '../../src/device/report.ts';
import type { CliRun } from '../helpers/cli.ts';
import { runCli } from '../helpers/cli.ts';
import type { SshServer } from '../helpers/sshServer.ts';
import { sshServer } from '../helpers/sshServer.ts';
import { archiveImage, edited, imageOf, layerOf, noise } from '../mender/onDevice/images.ts';
import { baseLayer } from './application.ts';
import { Device, skipReason } from './device.ts';
import { DEVICE_TYPE, PROJECT } from './pack.ts';

const NAME = 'graph-ssh';
const KEY = `data-docker.mender-docker-compose.${PROJECT}.version`;

describe.skipIf(skipReason() !== undefined)('a real device behind a real sshd', { timeout: 600_000 }, () => {
  const device = new Device(NAME);
  const folder = mkdtempSync(join(tmpdir(), 'mender-docker-delta-ssh-e2e-'));
  const path = process.env['PATH'];
  let server: SshServer | undefined;

  beforeAll(async () => {
    device.fresh();
    device.ask('echo WAIT_TIMEOUT=8 > /etc/mender/mender-docker-compose.conf');
    const run = resolve('scripts/device/run');
    server = await sshServer(`exec ${run} -n ${NAME} sh -c "$SSH_ORIGINAL_COMMAND"`);
    process.env['PATH'] = `${server.folder}:${path}`;
    const manifest = `x-mender: {manifest-name: ${PROJECT}, device-type: ${DEVICE_TYPE}, platform: linux/amd64}`;
    writeFileSync(join(folder, 'compose.yaml'), `${manifest}\nservices: {web: {image: "web:$TAG"}}\n`);
    const base = await baseLayer(folder);
    for (const version of [1, 2]) {
      const content = version === 1 ? noise(1, 300_000) : edited(noise(1, 300_000), 2);
      const image = imageOf(`web:${version}`, [base, await layerOf(folder, { data: content })]);
      await archiveImage(image, join(folder, `web${version}.tar`));
    }
    const broken = imageOf('web:3', [base, await layerOf(folder, { data: 'x' })], ['/bin/busybox', 'false']);
    await archiveImage(broken, join(folder, 'web3.tar'));
  }, 600_000);
  afterAll(() => {
    process.env['PATH'] = path;
    server?.stop();
    device.down('--wipe');
    rmSync(folder, { recursive: true, force: true });
  });

  const cli = (...argv: string[]): Promise<CliRun> =>
    runCli(argv, { HOME: folder, PATH: process.env['PATH']! });
  const build = (version: number, ...flags: string[]): Promise<CliRun> => {
    const argv = ['build', folder, '--mode', 'offline', '-f', `web=${join(folder, `web${version}.tar`)}`];
    const output = ['-a', join(folder, `out${version}.mender`), '--artifact-version', `1.${version}`];
    const environment = { HOME: folder, PATH: process.env['PATH']!, TAG: String(version) };
    return runCli([...argv, ...output, '--to', server!.url, ...flags], environment);
  };

  // Every reader of the client's database notes itself in its lock file (LMDB).
  const LOCK = '/data/mender/mender-store-lock';
  const SUMS = `find /data /etc /tmp -xdev -type f ! -path ${LOCK} | sort | xargs sha256sum`;

  it('is asked without being changed', async () => {
    // The client makes its store when it is first asked.
    device.ask('mender show-provides > /dev/null 2>&1; true');
    const before = device.ask(SUMS);
    const { stdout } = await cli('doctor', '--device', server!.url, '--json');
    writeFileSync(join(folder, 'report.json'), stdout);
    expect(await readDeviceReport(join(folder, 'report.json'))).toMatchObject({
      deviceType: DEVICE_TYPE,
      client: { name: 'mender', version: expect.stringContaining('3.4.0') as string },
      docker: { command: 'docker', version: expect.stringMatching(/^26/) as string },
      store: { kind: 'classic', place: { path: '/var/lib/docker' } },
      xdelta3: { lzma: true },
    });
    expect(device.ask(SUMS)).toBe(before);
  });

  it('reports into the log of a probe artifact, which leaves nothing', async () => {
    const artifact = join(folder, 'probe.mender');
    expect((await cli('doctor', '--probe-artifact', artifact, '-t', DEVICE_TYPE)).code).toBe(0);
    const state =
      'mender show-provides 2> /dev/null; find /data /etc /tmp -xdev -type f ! -path "*store*" ! -path "*/scripts/version" | sort';
    const before = device.ask(state);
    const { code, output } = device.install(artifact);
    expect(code).not.toBe(0);
    writeFileSync(join(folder, 'log'), output);
    expect(await readDeviceReport(join(folder, 'log'))).toMatchObject({ deviceType: DEVICE_TYPE });
    expect(device.ask(state)).toBe(before);
  });

  it('gets the first artifact whole, then a delta, and goes back from one that fails', async () => {
    expect(await build(1)).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('web web:1 Up') as string,
    });
    expect(device.provides()[KEY]).toBe('1.1');
    const second = await build(2);
    expect(second).toMatchObject({ code: 0, stdout: expect.stringContaining('base:     1.1') as string });
    expect([device.provides()[KEY], device.images()]).toEqual(['1.2', ['web:2']]);
    expect(await build(3)).toMatchObject({
      code: 9,
      stderr: expect.stringContaining('it runs web web:2') as string,
    });
    expect(device.provides()[KEY]).toBe('1.2');
    expect(readFileSync(join(folder, 'out3.mender')).length).toBeGreaterThan(0);
    expect(device.run('ls -d /var/lib/mender/mender-docker-delta-local*').code).not.toBe(0);
  });
});
