import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { edited, imageOf, layerOf, noise } from '../mender/onDevice/images.ts';
import type { Services } from './application.ts';
import { baseLayer } from './application.ts';
import type { Generation } from './device.ts';
import { Device, matrixOf, skipReason } from './device.ts';
import { pack, versionKey } from './pack.ts';
import { NO_NETWORK, expectImages, expectRunning, imagesOf, manifestOf } from './suite.ts';

vi.setConfig({ testTimeout: 3_600_000, hookTimeout: 600_000 });

/** Two services; a tag stays the same in all releases. */
async function servicesOf(folder: string, release: number): Promise<Services> {
  const base = await baseLayer(folder);
  const code = await layerOf(folder, { code: edited(noise(1, 500_000), release) });
  const side = await layerOf(folder, { side: edited(noise(2, 500_000), release + 100) });
  return {
    web: imageOf(`web:${release}`, [base, code]),
    side: imageOf('side:stable', [base, side]),
  };
}

/** KiB that Docker's stores take. */
function sizeOfStores(device: Device): number {
  const lines = device.ask('sync; du -sk /var/lib/docker /var/lib/containerd | cut -f 1').split('\n');
  return lines.reduce((sum, line) => sum + Number(line), 0);
}

/** Releases of an application, one after the other, on one image store. */
export function releaseSuite(store: 'graph' | 'ctd', generation: Generation): void {
  const { releases } = matrixOf(store);
  describe.skipIf(skipReason())(`${releases} releases on the ${store} store, module ${generation}`, () => {
    const device = new Device(`e2e-${store}-row`, generation);
    const folder = mkdtempSync(join(tmpdir(), 'mender-docker-delta-e2e-'));
    beforeAll(() => device.fresh());
    afterAll(() => {
      device.down('--wipe');
      rmSync(folder, { recursive: true });
    });

    test('leave the images of the last one, and no other bytes', async () => {
      let old: Services | undefined;
      const sizes: number[] = [];
      for (let release = 1; release <= releases; release += 1) {
        const services = await servicesOf(folder, release);
        const version = String(release);
        const artifact = await pack(join(folder, version), {
          name: `release-${version}`,
          version,
          module: 'docker-compose',
          images: imagesOf(services, old, folder),
          manifest: manifestOf(services, NO_NETWORK),
          ...(old ? { depends: String(release - 1) } : {}),
        });
        const { code, output } = device.install(artifact);
        expect(code, output).toBe(0);
        expectRunning(device, services);
        expectImages(device, services);
        sizes.push(sizeOfStores(device));
        old = services;
      }
      // containerd deletes content a moment after its image.
      await vi.waitFor(() => expect(sizeOfStores(device)).toBeLessThan(sizes[1]! + 512), 60_000);
      expect(device.ask(`ls /data/mender-docker-compose`)).toBe('current');
      expect(device.ask(`docker ps --quiet | wc -l`)).toBe(String(Object.keys(old ?? {}).length));
      expect(device.provides()[versionKey('docker-compose')]).toBe(String(releases));
    });
  });
}
