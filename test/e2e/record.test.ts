import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { RECORD_KEY } from '../../src/mender/record.ts';
import { imageOf, layerOf } from '../mender/onDevice/images.ts';
import { baseLayer } from './application.ts';
import type { Services } from './application.ts';
import { Device, skipReason } from './device.ts';
import { pack, versionKey } from './pack.ts';
import { expectRunning, imagesOf, manifestOf } from './suite.ts';

vi.setConfig({ testTimeout: 300_000, hookTimeout: 120_000 });

describe.skipIf(skipReason())('the record in the meta-data, on a device', () => {
  const device = new Device('record-graph');
  const folder = mkdtempSync(join(tmpdir(), 'mender-docker-delta-record-'));
  let services: Services = {};
  beforeAll(async () => {
    services = { web: imageOf('shop/web:1', [await baseLayer(folder), await layerOf(folder, { a: 'one' })]) };
  });
  afterAll(() => {
    device.down('--wipe');
    rmSync(folder, { recursive: true });
  });

  test.each([
    ['app', 'embedded'],
    ['app', 'mender-artifact'],
    ['docker-compose', 'embedded'],
    ['docker-compose', 'mender-artifact'],
  ] as const)('module %s ignores it, written by %s', async (module, writer) => {
    device.fresh();
    const [image] = imagesOf(services, undefined, folder);
    const diffIDs = image!.layers.map(({ diffID }) => diffID);
    const record = {
      platform: 'linux/amd64',
      images: [{ services: ['web'], ref: 'shop/web:1', configDigest: diffIDs[0]!, diffIDs }],
    };
    const manifest = manifestOf(services);
    const name = `shop-${module}-${writer}`;
    const artifact = await pack(folder, {
      ...{ name, version: '1', module, manifest, record, writer },
      images: [image!],
    });
    const { code, output } = device.install(artifact);
    expect(code, output).toBe(0);
    expectRunning(device, services);
    const provides = device.provides();
    expect(provides).toMatchObject({ artifact_name: name, [versionKey(module)]: '1' });
    expect(Object.keys(provides).join()).not.toContain(RECORD_KEY);
  });
});
