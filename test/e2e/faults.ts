import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { PayloadImage } from '../../src/mender/payload.ts';
import { archiveImage, edited, imageOf, layerOf, noise } from '../mender/onDevice/images.ts';
import { startRegistry } from './deviceRegistry.ts';
import type { Services } from './application.ts';
import { baseLayer } from './application.ts';
import type { Generation } from './device.ts';
import { Device } from './device.ts';
import type { Module } from '../../src/mender/spec.ts';
import { PROJECT, pack, versionKey } from './pack.ts';
import { expectImages, expectRunning, imagesOf, manifestOf } from './suite.ts';

vi.setConfig({ testTimeout: 900_000, hookTimeout: 600_000 });

const CONFIG = '/etc/mender/mender-docker-compose.conf';
const KEYS =
  '    restart: always\n    healthcheck: { test: [CMD, /bin/busybox, test, -e, /healthy], interval: 1s, retries: 3, timeout: 10s }\n';

/** The healthy versions 1 and 2, and a 2 that never becomes healthy. */
interface Versions {
  1: Services;
  2: Services;
  sick: Services;
}

async function servicesOf(
  folder: string,
  version: number,
  options: { sick?: boolean; moves: boolean },
): Promise<Services> {
  const base = await baseLayer(folder);
  const code = version === 1 ? noise(1, 300_000) : edited(noise(1, 300_000), version);
  const top = await layerOf(folder, { code, [options.sick ? 'ill' : 'healthy']: String(version) });
  const side = await layerOf(folder, {
    side: noise(2 + version, 9000),
    [options.sick ? 'ill' : 'healthy']: '',
  });
  const web = imageOf(`localhost:5000/web:${version}`, [base, top]);
  // A base of its own: the containerd store can't save an image that shares layers with a pulled one.
  const own = await baseLayer(folder, 'side');
  return options.moves ? { web, side: imageOf('side:stable', [own, side]) } : { web };
}

/** A device of one store and module, brought back to version 1 before each test. */
class Bench {
  readonly device: Device;
  readonly module: Module;
  readonly folder = mkdtempSync(join(tmpdir(), 'mender-docker-delta-e2e-'));
  versions!: Versions;
  #packed = 0;

  constructor(store: string, module: Module, generation?: Generation) {
    this.device = new Device(`e2e-${store}-faults`, generation);
    this.module = module;
  }

  /** Only docker-compose can go back to an image whose tag has moved on. */
  async prepare(): Promise<void> {
    const moves = this.module === 'docker-compose';
    this.versions = {
      1: await servicesOf(this.folder, 1, { moves }),
      2: await servicesOf(this.folder, 2, { moves }),
      sick: await servicesOf(this.folder, 2, { sick: true, moves }),
    };
  }

  async reset(): Promise<void> {
    this.device.fresh();
    this.device.ask(`echo WAIT_TIMEOUT=8 > ${CONFIG}`);
    this.must(await this.full(1));
  }

  full(version: 1 | 2): Promise<string> {
    const services = this.versions[version];
    return this.pack(String(version), services, imagesOf(services, undefined, this.folder));
  }

  delta(
    services = this.versions[2],
    harm: (images: PayloadImage[]) => void = () => undefined,
  ): Promise<string> {
    const images = imagesOf(services, this.versions[1], this.folder);
    harm(images);
    return this.pack('2', services, images, '1');
  }

  pack(version: string, services: Services, images: PayloadImage[], depends?: string): Promise<string> {
    this.#packed += 1;
    const spec = {
      name: `${depends ? 'delta' : 'full'}-${version}`,
      version,
      module: this.module,
      images,
      manifest: manifestOf(services, KEYS),
    };
    return pack(join(this.folder, String(this.#packed)), depends === undefined ? spec : { ...spec, depends });
  }

  must(artifact: string): void {
    const { code, output } = this.device.install(artifact);
    expect(code, output).toBe(0);
  }

  fails(artifact: string, reason: RegExp): void {
    const { code, output } = this.device.install(artifact);
    expect(output).toMatch(reason);
    expect(code).not.toBe(0);
  }

  /** The services run from its images, and no other image is there. */
  runs(version: 1 | 2): void {
    const services = this.versions[version];
    expectRunning(this.device, services);
    if (this.module === 'docker-compose') expectImages(this.device, services);
  }

  provides(name: string, version: string): void {
    expect(this.device.provides()).toMatchObject({ artifact_name: name, [versionKey(this.module)]: version });
  }

  close(): void {
    this.device.down('--wipe');
    rmSync(this.folder, { recursive: true });
  }
}

function flipped(images: PayloadImage[]): void {
  const layer = images.find(({ id }) => id === 'web')!.layers[1]!;
  if (layer.content.kind !== 'delta') throw new Error('no delta');
  const body = Buffer.from(layer.content.body);
  body[body.length - 60]! ^= 0xff;
  layer.content = { ...layer.content, body };
}

function bench(store: string, module: Module, generation?: Generation): Bench {
  const made = new Bench(store, module, generation);
  beforeAll(() => made.prepare());
  beforeEach(() => made.reset());
  afterAll(() => made.close());
  return made;
}

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

export function composeFaults(store: string, generation: Generation): void {
  describe(`docker-compose (${generation}) with the state script on the ${store} store`, () => {
    const b = bench(store, 'docker-compose', generation);
    sharedFaults(b);

    const harms: Record<string, () => Promise<[string, RegExp]>> = {
      'a damaged delta': async () => [await b.delta(b.versions[2], flipped), /xdelta3 can't decode layer/],
      'no xdelta3': async () => {
        b.device.ask('mv /usr/bin/xdelta3 /usr/bin/xdelta3.away');
        return [await b.delta(), /xdelta3 is not on this device/];
      },
      'a disk that gets full while Docker loads': async () => {
        fillAtLoad(
          b.device,
          store === 'graph' ? 'docker/tmp' : 'containerd/io.containerd.content.v1.content',
        );
        return [await b.delta(), /Docker can't load .*no space left on device/];
      },
      'a start that never becomes healthy': async () => [
        await b.delta(b.versions.sick),
        /not healthy after 8 s/,
      ],
    };
    test.each(Object.entries(harms))('%s: the old application goes on', async (name, harm) => {
      b.fails(...(await harm()));
      b.provides('full-1', '1');
      b.runs(1);
      if (!/damaged|healthy/.test(name)) return;
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

    test('installed again before it was committed', async () => {
      const artifact = await b.delta();
      expect(b.device.install(artifact, '--no-commit').code).toBe(0);
      b.must(artifact);
      b.runs(2);
      b.provides('delta-2', '2');
    });

    test.each(['the client is killed', 'the power fails'])(
      '%s in the middle of the script, and it is started again',
      async (what) => {
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
      },
    );

    test('over an image that the device pulled itself', async () => {
      await pullBase(b, '/data/mender-docker-compose/current/manifests');
      // The module deletes by the ID that it noted, and the containerd store gives a pulled image another one.
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

/** Replaces the loaded image of the service `web` by the same one, pulled: the containerd store then holds it compressed. */
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

/** Runs a shell line each time before the script loads an image. */
function beforeLoad(device: Device, line: string): void {
  device.write('wrapper', `#!/bin/sh\n[ "$2" != load ] || { ${line}; }\nexec docker "$@"\n`);
  device.ask(`chmod +x /data/wrapper; echo DOCKER_CMD=/data/wrapper >> ${CONFIG}`);
}

/** Gives a folder below /var/lib a disk of its own, which gets full when the script loads an image. */
function fillAtLoad(device: Device, folder: string): void {
  const disk = `/var/lib/${folder}`;
  device.ask(`cp -a ${disk} /run/kept; mount -t tmpfs -o size=64m tmpfs ${disk}; cp -a /run/kept/. ${disk}`);
  beforeLoad(device, `cat /dev/zero > ${disk}/fill 2> /dev/null`);
}

/** Starts an installation, and returns when the script loads the first image, where it stays. */
function stopAtLoad(device: Device, artifact: string): void {
  beforeLoad(device, 'touch /run/reached; sleep 600');
  device.copy(artifact, 'pending.mender');
  device.ask(
    'mender --no-syslog install /data/pending.mender > /data/install.log 2>&1 < /dev/null & while [ ! -e /run/reached ]; do sleep 0.1; done',
  );
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
