import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test, vi } from 'vitest';
import { edited, imageOf, layerOf, noise } from '../mender/onDevice/images.ts';
import type { Services } from './application.ts';
import { baseLayer } from './application.ts';
import { Device, skipReason } from './device.ts';
import { callsOfDocker, noteCalls } from './loads.ts';
import { pack } from './pack.ts';
import { expectImages, expectRunning, imagesOf, manifestOf } from './suite.ts';

vi.setConfig({ testTimeout: 600_000, hookTimeout: 600_000 });

const CONTENT = 'io.containerd.content.v1.content';
const STOP = 'docker stop $(docker ps --quiet)';

/** Each place of containerd's content, with the files that move it there. */
const PLACES: [string, string, Record<string, string>][] = [
  [
    'a root of its own',
    '/data/images',
    { 'etc/containerd/config.toml': 'version = 2\nroot = "/data/images"\n' },
  ],
  [
    "a folder below Docker's data root",
    '/var/lib/docker/containerd/daemon',
    { 'etc/docker/own-containerd': '' },
  ],
];

describe.skipIf(skipReason())('a device whose containerd keeps images elsewhere', () => {
  const device = new Device('e2e-ctd-places');
  const folder = mkdtempSync(join(tmpdir(), 'mender-docker-delta-e2e-'));
  afterAll(() => {
    device.down('--wipe', '--kill');
    rmSync(folder, { recursive: true });
  });

  async function servicesOf(release: number): Promise<Services> {
    const code = await layerOf(folder, { code: edited(noise(1, 100_000), release) });
    return { web: imageOf(`web:${release}`, [await baseLayer(folder), code]) };
  }

  async function install(release: number, old?: Services): Promise<Services> {
    const services = await servicesOf(release);
    const version = String(release);
    const artifact = await pack(join(folder, version), {
      ...{ name: `release-${version}`, version, module: 'docker-compose' as const },
      ...{ images: imagesOf(services, old, folder), manifest: manifestOf(services) },
      ...(old ? { depends: String(release - 1) } : {}),
    });
    const { code, output } = device.install(artifact);
    expect(code, output).toBe(0);
    expectRunning(device, services);
    expectImages(device, services);
    return services;
  }

  test.each(PLACES)('in %s: base layers are read in place', async (_, place, files) => {
    device.fresh(files);
    noteCalls(device);
    const first = await install(1);
    const contents = ['/var/lib/containerd', place].map((root) => `${root}/${CONTENT}`);
    expect(device.ask(`ls -d ${contents.join(' ')} 2> /dev/null; true`)).toBe(contents[1]);
    const second = await install(2, first);
    // Without containers, no mount tells the place.
    device.ask(STOP);
    await install(3, second);
    expect(callsOfDocker(device)).toContain('image load');
    expect(callsOfDocker(device)).not.toContain('image save');
  });
});
