import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect } from 'vitest';
import type { PayloadImage } from '../../src/mender/payload.ts';
import type { Module } from '../../src/mender/spec.ts';
import { edited, imageOf, layerOf, noise } from '../mender/onDevice/images.ts';
import type { Services } from './application.ts';
import { baseLayer } from './application.ts';
import type { Generation } from './device.ts';
import { Device } from './device.ts';
import { CONFIG } from './loads.ts';
import { pack, versionKey } from './pack.ts';
import { NO_NETWORK, expectImages, expectRunning, imagesOf, manifestOf } from './suite.ts';

/**
 * Healthy as soon as the first check passes, which comes at once. A failed start is found after a
 * few seconds.
 */
const KEYS = [
  `${NO_NETWORK}    restart: always`,
  '    healthcheck:',
  '      test: [CMD, /bin/busybox, test, -e, /healthy]',
  '      start_period: 2s',
  '      start_interval: 0.2s',
  '      interval: 5s',
  '      retries: 2',
  '      timeout: 10s',
  '',
].join('\n');

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
  // A base of its own: the containerd store can't save an image that shares layers with a pulled
  // one.
  const own = await baseLayer(folder, 'side');
  return options.moves ? { web, side: imageOf('side:stable', [own, side]) } : { web };
}

/** A device of one store and module, brought back to version 1 before each test. */
export class Bench {
  readonly device: Device;
  readonly module: Module;
  readonly folder = mkdtempSync(join(tmpdir(), 'mender-docker-delta-e2e-'));
  versions!: Versions;
  #packed = 0;

  constructor(store: string, module: Module, generation?: Generation, name = 'faults') {
    this.device = new Device(`e2e-${store}-${name}`, generation);
    this.module = module;
  }

  /** Installs version 1. Only docker-compose can go back to an image whose tag has moved on. */
  async prepare(): Promise<void> {
    const moves = this.module === 'docker-compose';
    this.versions = {
      1: await servicesOf(this.folder, 1, { moves }),
      2: await servicesOf(this.folder, 2, { moves }),
      sick: await servicesOf(this.folder, 2, { sick: true, moves }),
    };
    this.device.fresh();
    this.device.ask(`echo WAIT_TIMEOUT=8 > ${CONFIG}`);
    this.must(await this.full(1));
    this.device.save();
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
    expect(output, output).toMatch(reason);
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
    this.device.down('--wipe', '--kill');
    this.device.forget();
    rmSync(this.folder, { recursive: true });
  }
}

/** A device for the tests of a `describe`, prepared before each of them. */
export function bench(store: string, module: Module, generation?: Generation, name?: string): Bench {
  const made = new Bench(store, module, generation, name);
  beforeAll(() => made.prepare());
  beforeEach(() => made.device.restore());
  afterAll(() => made.close());
  return made;
}
