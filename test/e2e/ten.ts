import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { PayloadImage } from '../../src/mender/payload.ts';
import { edited, imageOf, layerOf, noise } from '../mender/onDevice/images.ts';
import type { Services } from './application.ts';
import { baseLayer } from './application.ts';
import { Device, matrixOf, skipReason } from './device.ts';
import { RESTART, beforeLoad, flip, onlyBusybox } from './loads.ts';
import { pack, versionKey } from './pack.ts';
import { NO_NETWORK, expectImages, expectRunning, imagesOf, manifestOf } from './suite.ts';

vi.setConfig({ testTimeout: 900_000, hookTimeout: 600_000 });

const COUNT = 10;

/** All images share two layers, and half of them a third one. All layers but the lowest change. */
async function servicesOf(folder: string, release: number): Promise<Services> {
  const base = await baseLayer(folder);
  const changed = (name: string, seed: number, size: number) =>
    layerOf(folder, { [name]: edited(noise(seed, size), release) });
  const [all, some] = [await changed('all', 1, 200_000), await changed('some', 2, 100_000)];
  const services: Services = {};
  for (let number = 0; number < COUNT; number += 1) {
    const own = await changed('own', 10 + number, 20_000);
    const layers = number % 2 === 0 ? [base, all, own] : [base, all, some, own];
    services[`service-${number}`] = imageOf(`team/service-${number}:${release}`, layers);
  }
  return services;
}

/**
 * Updates of ten services, one after the other, on one image store. The device has no tools but
 * those of busybox.
 */
export function tenSuite(store: 'graph' | 'ctd'): void {
  const [generation] = matrixOf(store).generations;
  describe.skipIf(skipReason())(`ten services that share layers, with busybox, on the ${store} store`, () => {
    const device = new Device(`e2e-${store}-ten`, generation);
    const folder = mkdtempSync(join(tmpdir(), 'mender-docker-delta-e2e-'));
    let running: { release: number; services: Services } | undefined;
    beforeAll(() => {
      device.fresh();
      onlyBusybox(device);
    });
    afterAll(() => {
      device.down('--wipe', '--kill');
      rmSync(folder, { recursive: true });
    });

    async function install(release: number, harm?: (images: PayloadImage[]) => void): Promise<string> {
      const services = await servicesOf(folder, release);
      const images = imagesOf(services, running?.services, folder);
      harm?.(images);
      const artifact = await pack(join(folder, `${release}-${harm === undefined}`), {
        ...{ name: `ten-${release}`, version: String(release), module: 'docker-compose' as const },
        ...{ images, manifest: manifestOf(services, NO_NETWORK) },
        ...(running && { depends: String(running.release) }),
      });
      const { code, output } = device.install(artifact);
      if (harm === undefined) running = { release, services };
      expect(code, output).toBe(harm === undefined ? 0 : 1);
      return output;
    }

    /** The running release, and nothing of any other. */
    function expectRelease(release: number): void {
      expect(running?.release).toBe(release);
      expectRunning(device, running!.services);
      expectImages(device, running!.services);
      const version = { [versionKey('docker-compose')]: String(release) };
      expect(device.provides()).toMatchObject({ artifact_name: `ten-${release}`, ...version });
      expect(device.ask('ls /data/mender-docker-compose')).toBe('current');
    }

    test('the first release is whole', async () => {
      await install(1);
      expectRelease(1);
    });

    test('a delta that is damaged in the middle leaves nothing of the images before it', async () => {
      const output = await install(2, (images) => flip(images, 'service-5', 3));
      // The last image is loaded first.
      expect(output).toMatch(/service-6:2 is loaded[^]*xdelta3 can't decode layer/);
      expectRelease(1);
    });

    test('a delta, with Docker restarted before the script loads the sixth image', async () => {
      const before = device.ask('pgrep -x dockerd');
      beforeLoad(device, `echo >> /run/loads; [ $(wc -l < /run/loads) != 6 ] || { ${RESTART}; }`);
      await install(2);
      expect(device.ask('pgrep -x dockerd')).not.toBe(before);
      expectRelease(2);
    });
  });
}
