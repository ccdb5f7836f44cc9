import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Services } from './application.ts';
import { application } from './application.ts';
import { Device, skipReason } from './device.ts';
import { pack, versionKey } from './pack.ts';
import { expectRunning, imagesOf, manifestOf } from './suite.ts';

/** Full, delta, delta, on one image store. */
export function structureSuite(store: 'graph' | 'ctd'): void {
  describe.skipIf(skipReason())(`on the ${store} store`, () => {
    describe.each(['app', 'docker-compose'] as const)(
      '%s: an application that changes in every way',
      (module) => {
        const device = new Device(`e2e-${store}`);
        const folder = mkdtempSync(join(tmpdir(), 'mender-docker-delta-e2e-'));
        const versions: Services[] = [];
        beforeAll(async () => {
          device.fresh();
          for (const version of [1, 2, 3]) versions.push(await application(folder, version));
        });
        afterAll(() => {
          device.down('--wipe');
          rmSync(folder, { recursive: true });
        });

        test.each([1, 2, 3])('version %i', async (version) => {
          const services = versions[version - 1]!;
          const old = versions[version - 2];
          const images = imagesOf(services, old, folder);
          const spec = {
            name: `${module}-${version}`,
            version: String(version),
            module,
            images,
            manifest: manifestOf(services),
          };
          const artifact = await pack(folder, { ...spec, ...(old ? { depends: String(version - 1) } : {}) });
          const { code, output } = device.install(artifact);
          expect(code, output).toBe(0);
          expectRunning(device, services);
          expect(device.provides()).toMatchObject({
            artifact_name: spec.name,
            [versionKey(module)]: spec.version,
          });
        });
      },
    );
  });
}
