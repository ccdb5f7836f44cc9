import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { edited, imageOf, layerOf, noise } from '../mender/onDevice/images.ts';
import type { Services } from './application.ts';
import { baseLayer } from './application.ts';
import { buildRelease, verifyRelease } from './cli.ts';
import { Device, HOME, skipReason } from './device.ts';
import type { Disk } from './disk.ts';
import { makeDisk } from './disk.ts';
import { watch } from './watch.ts';

vi.setConfig({ testTimeout: 900_000, hookTimeout: 600_000 });

const MB = 1_000_000;
const MODULE = 'docker-compose';

/** Two services that share a changed layer. Of both images another layer changes, too. */
async function servicesOf(folder: string, release: number): Promise<Services> {
  const layer = (name: string, seed: number, size: number, version = release) =>
    layerOf(folder, { [name]: edited(noise(seed, size * MB), version) });
  const [base, shared] = [await baseLayer(folder), await layer('shared', 2, 24)];
  return {
    web: imageOf(`web:${release}`, [base, await layer('kept', 1, 16, 1), shared, await layer('web', 3, 8)]),
    worker: imageOf(`worker:${release}`, [base, shared, await layer('worker', 4, 12)]),
  };
}

describe.skipIf(skipReason())(
  'the estimate of verify, and what a device with a disk of its own takes',
  () => {
    const folder = mkdtempSync(join(tmpdir(), 'mender-docker-delta-e2e-'));
    let first: string;
    let second: string;
    beforeAll(async () => {
      const [v1, v2] = [await servicesOf(folder, 1), await servicesOf(folder, 2)];
      first = await buildRelease(folder, { version: '1', module: MODULE, services: v1 });
      second = await buildRelease(folder, { version: '2', module: MODULE, services: v2, base: first });
    });
    afterAll(() => rmSync(folder, { recursive: true }));

    describe.each(['classic', 'containerd'] as const)('on the %s store', (store) => {
      let disk: Disk;
      let device: Device;
      beforeAll(() => {
        disk = makeDisk(join(HOME, 'rootfs'), 1000);
        device = new Device(store === 'classic' ? 'estimate' : 'estimate-ctd', '2026-09', disk.home);
        device.fresh();
      });
      afterAll(() => {
        device.down('--kill');
        disk.remove();
      });

      /** Bytes of what Docker keeps. */
      const sizeOfStore = (): number => {
        const places = ['docker', 'containerd'].map((place) => join(disk.home, 'dev', device.name, place));
        const lines = execFileSync('du', ['-s', '-B1', ...places], { encoding: 'utf8' })
          .trim()
          .split('\n');
        return lines.reduce((sum, line) => sum + Number.parseInt(line, 10), 0);
      };

      test.each([1, 2])('release %i: disk and writes within a tenth', async (release) => {
        const [artifact, base] = release === 1 ? [first, undefined] : [second, first];
        const { estimate } = verifyRelease(artifact, base);
        device.copy(artifact, 'release.mender');
        const size = sizeOfStore();
        const run = resolve('scripts/device/run');
        const install = 'mender --no-syslog install /data/release.mender';
        const command = [run, '-n', device.name, 'sh', '-c', install];
        const watched = await watch(disk, device.name, command);
        expect(watched.code, watched.output).toBe(0);
        const grown = sizeOfStore() - size;
        device.ask('rm /data/release.mender; mender --no-syslog commit');
        const { peakBytes, storeBytes, writtenBytes } = estimate[store];
        const isNear = ([estimated, measured]: [number, number]): boolean =>
          Math.abs(estimated / measured - 1) < 0.1;
        expect([peakBytes, watched.peak]).toSatisfy(isNear);
        expect([storeBytes, grown]).toSatisfy(isNear);
        // If memory is short or the disk is slow, temporary copies are written, too: those of two
        // images.
        const copies = store === 'classic' ? 2 * peakBytes : 0;
        expect(watched.written).toBeGreaterThan(0.9 * writtenBytes);
        expect(watched.written).toBeLessThan(1.1 * (writtenBytes + copies));
        // The decoder may take less, as not every delta uses all of its buffers.
        expect(estimate.memoryBytes).toBeGreaterThanOrEqual(watched.memory);
        expect(watched.memory).toBeGreaterThanOrEqual(0.75 * estimate.memoryBytes);
      });
    });
  },
);
