import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import type { PayloadImage } from '../../src/mender/payload.ts';
import { hexOf } from '../../src/oci/digest.ts';
import { archiveImage } from '../mender/onDevice/images.ts';
import type { Bench } from './bench.ts';
import { bench } from './bench.ts';
import type { Generation } from './device.ts';
import { startRegistry } from './deviceRegistry.ts';
import { CONFIG, CONTENT, RESTART, beforeLoad, fillAtLoad, flip, stopAtLoad } from './loads.ts';
import { PROJECT } from './pack.ts';
import { expectRunning, imagesOf } from './suite.ts';

vi.setConfig({ testTimeout: 900_000, hookTimeout: 600_000 });

const PRUNE = 'docker image prune --all --force > /dev/null';

const flipped = (images: PayloadImage[]): void => flip(images, 'web', 1);

function sharedFaults(b: Bench): void {
  test('a delta for another base is refused, and nothing is touched', async () => {
    const before = b.device.ask('docker ps --no-trunc; docker image ls --no-trunc');
    const images = imagesOf(b.versions[2], b.versions[1], b.folder);
    b.fails(await b.pack('2', b.versions[2], images, '1.5'), /not satisfied/);
    expect(idsOf(b.device.ask('docker ps --no-trunc; docker image ls --no-trunc'))).toEqual(idsOf(before));
    b.provides('full-1', '1');
  });

  test('an artifact that is installed is not installed again', async () => {
    const artifact = await b.delta();
    b.must(artifact);
    b.fails(artifact, /not satisfied/);
    b.runs(2);
    b.provides('delta-2', '2');
  });
}

const idsOf = (listing: string): string[] => (listing.match(/[0-9a-f]{64}/g) ?? []).sort();

export function appFaults(store: string): void {
  describe(`app on the ${store} store`, () => {
    const b = bench(store, 'app');
    sharedFaults(b);

    const harms: Record<string, () => Promise<[string, RegExp]>> = {
      'a damaged delta': async () => [await b.delta(b.versions[2], flipped), /xdelta3 failed/],
      'no xdelta3': async () => {
        b.device.ask('mv /usr/bin/xdelta3 /usr/bin/xdelta3.away');
        return [await b.delta(), /xdelta3 failed/];
      },
      'a start that never becomes healthy': async () => [
        await b.delta(b.versions.sick),
        /did not become healthy/,
      ],
    };
    test.each(Object.entries(harms))(
      '%s: the old application goes on, and a full artifact recovers',
      async (_name, harm) => {
        b.fails(...(await harm()));
        b.runs(1);
        b.provides('delta-2_INCONSISTENT', '2');
        b.must(await b.full(2));
        b.runs(2);
        b.provides('full-2', '2');
      },
    );

    test('over an image that the device pulled itself: only the classic store gives its layers back', async () => {
      await pullBase(b, `/data/mender-app/${PROJECT}/manifests`);
      b.runs(1);
      if (store === 'graph') b.must(await b.delta());
      else b.fails(await b.delta(), /the old image has no blobs/);
      b.runs(store === 'graph' ? 2 : 1);
    });
  });
}

/** `isWhole`: with the faults that are the same on both stores. */
export function composeFaults(store: string, generation: Generation, isWhole: boolean): void {
  describe(`docker-compose (${generation}) with the state script on the ${store} store`, () => {
    const b = bench(store, 'docker-compose', generation);
    if (isWhole) {
      sharedFaults(b);
      test('installed again before it was committed', async () => {
        const artifact = await b.delta();
        expect(b.device.install(artifact, '--no-commit').code).toBe(0);
        b.must(artifact);
        b.runs(2);
        b.provides('delta-2', '2');
      });
    }

    const harms: Record<string, () => Promise<[string, RegExp]>> = {
      'a damaged delta': async () => [await b.delta(b.versions[2], flipped), /xdelta3 can't decode layer/],
      ...(isWhole && {
        'no xdelta3': async () => {
          b.device.ask('mv /usr/bin/xdelta3 /usr/bin/xdelta3.away');
          return [await b.delta(), /xdelta3 is not on this device/];
        },
      }),
      'a disk that gets full while Docker loads': async () => {
        fillAtLoad(b.device, store === 'graph' ? 'docker/tmp' : CONTENT);
        return [await b.delta(), /Docker can't load .*no space left on device/];
      },
      'a start that never becomes healthy': async () => [
        await b.delta(b.versions.sick),
        /not healthy after 8 s/,
      ],
      ...(store === 'ctd' && blobHarms(b)),
    };
    test.each(Object.entries(harms))('%s: the old application goes on', async (name, harm) => {
      b.fails(...(await harm()));
      b.provides('full-1', '1');
      b.runs(1);
      if (!/damaged delta|healthy/.test(name)) return;
      b.must(await b.delta());
      b.runs(2);
      b.provides('delta-2', '2');
      expect(b.device.images()).toEqual(['localhost:5000/web:2', 'side:stable']);
    });

    test('another image under the name of the old one: only containerd still has its layers', async () => {
      b.device.ask('docker tag side:stable localhost:5000/web:1');
      if (store === 'ctd') b.must(await b.delta());
      else b.fails(await b.delta(), /the old image localhost:5000\/web:1 has no layer/);
    });

    test.each([
      ['Docker is restarted', RESTART],
      ['unused images are deleted', PRUNE],
    ])('%s before the script loads the second image', async (_name, line) => {
      beforeLoad(b.device, `echo >> /run/loads; [ $(wc -l < /run/loads) != 2 ] || { ${line}; }`);
      b.must(await b.delta());
      b.runs(2);
      b.provides('delta-2', '2');
    });

    const ends = ['the power fails', ...(isWhole ? ['the client is killed'] : [])];
    test.each(ends)('%s in the middle of the script, and it is started again', async (what) => {
      const artifact = await b.delta();
      stopAtLoad(b.device, artifact);
      if (what.startsWith('the power')) b.device.down('--kill');
      else b.device.ask('kill -9 $(pgrep -x mender) $(pgrep -f [A]rtifactInstall_Enter) $(pgrep -x sleep)');
      b.device.up();
      b.device.ask(`echo WAIT_TIMEOUT=8 > ${CONFIG}`);
      await eventually(() => expectRunning(b.device, b.versions[1]));
      b.provides('full-1', '1');
      b.must(artifact);
      b.runs(2);
      b.provides('delta-2', '2');
    });

    test('over an image that the device pulled itself', async () => {
      await pullBase(b, '/data/mender-docker-compose/current/manifests');
      // The module deletes by the ID that it noted, and the containerd store gives a pulled image
      // another one.
      const names = 'localhost:5000/web:1 side:stable';
      b.device.ask(
        `docker image inspect -f '{{.Id}}' ${names} > /data/mender-docker-compose/current/image_ids`,
      );
      b.runs(1);
      b.must(await b.delta());
      b.runs(2);
    });
  });
}

/** What can happen to a base layer in the containerd store. */
function blobHarms(b: Bench): Record<string, () => Promise<[string, RegExp]>> {
  const change = (command: string) => {
    const blob = `/var/lib/${CONTENT}/blobs/sha256/${hexOf(b.versions[1]['web']!.layers[1]!.diffID)}`;
    b.device.ask(`test -f ${blob} && ${command}${blob}`);
  };
  return {
    'a missing base layer': async () => {
      change('rm ');
      return [await b.delta(), /can't be saved/];
    },
    'a damaged base layer': async () => {
      change('printf damage | dd bs=1 seek=1000 conv=notrunc status=none of=');
      return [await b.delta(), /xdelta3 can't decode layer|Docker can't load/];
    },
  };
}

/**
 * Replaces the loaded image of the service `web` by the same one, pulled: the containerd store then
 * holds it compressed.
 */
async function pullBase({ device, versions, folder }: Bench, manifests: string): Promise<void> {
  const archive = join(folder, 'web.tar');
  await archiveImage(versions[1]['web']!, archive);
  const registry = startRegistry(device);
  try {
    registry.push(archive, 'web:1');
    device.ask(
      'docker rm -f $(docker ps -aq --filter label=com.docker.compose.service=web) && docker image rm localhost:5000/web:1',
    );
    device.ask(`cd ${manifests} && docker compose --project-name ${PROJECT} up -d`);
  } finally {
    await registry.stop();
  }
}

/** Tries for half a minute. */
async function eventually(check: () => void): Promise<void> {
  for (let tries = 0; tries < 30; tries += 1) {
    try {
      check();
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 1000));
    }
  }
  check();
}
