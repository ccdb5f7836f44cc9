import { describe, test, vi } from 'vitest';
import { patchesOf } from '../mender/onDevice/patches.ts';
import type { Bench } from './bench.ts';
import { bench } from './bench.ts';
import { skipReason } from './device.ts';
import { flip } from './loads.ts';
import { imagesOf } from './suite.ts';

vi.setConfig({ testTimeout: 900_000, hookTimeout: 600_000 });

/** The artifact of version 2, with patches and their decoder. */
async function carried(b: Bench, harm?: 'flipped'): Promise<string> {
  const { folder, versions } = b;
  const [old, services] = [versions[1], versions[2]];
  const images = imagesOf(services, old, folder);
  for (const image of images) await patchesOf(image, services[image.id]!, old[image.id]!, folder);
  if (harm === 'flipped') flip(images, 'web', 1);
  return b.pack('2', services, images, '1');
}

/** No program starts from the folder any more. */
function forbidPrograms(device: Bench['device'], folder: string): void {
  device.ask(`mkdir -p ${folder}; mount --bind ${folder} ${folder}; mount -o remount,bind,noexec ${folder}`);
}

const WORK = '/var/lib/mender/modules/v3/payloads';
const STATE = '/data/mender-docker-compose';

describe.skipIf(skipReason())('a decoder that the artifact carries', () => {
  describe.each([
    ['graph', '2025-10'],
    ['ctd', '2026-09'],
  ] as const)('on the %s store, without xdelta3', (store, generation) => {
    const b = bench(store, 'docker-compose', generation, 'carried');

    function expectOld(): void {
      b.runs(1);
      b.provides('full-1', '1');
    }

    test('installs the new application', async () => {
      b.device.ask('rm /usr/bin/xdelta3');
      b.must(await carried(b));
      b.runs(2);
      b.provides('delta-2', '2');
    });

    test('refuses a damaged patch, and then installs the right one', async () => {
      b.device.ask('rm /usr/bin/xdelta3');
      b.fails(await carried(b, 'flipped'), /the carried decoder can't decode layer/);
      expectOld();
      b.must(await carried(b));
      b.runs(2);
    });

    test('runs from the folder of the update module where the work folder is noexec', async () => {
      b.device.ask('rm /usr/bin/xdelta3');
      forbidPrograms(b.device, WORK);
      b.must(await carried(b));
      b.runs(2);
    });

    test('is refused where both folders are noexec, and the old application goes on', async () => {
      b.device.ask('rm /usr/bin/xdelta3');
      for (const folder of [WORK, STATE]) forbidPrograms(b.device, folder);
      b.fails(await carried(b), /the carried decoder does not run on this device/);
      expectOld();
    });
  });
});
