import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Services } from './application.ts';
import { application } from './application.ts';
import { Device, matrixOf, skipReason } from './device.ts';
import { PROJECT, versionKey } from './pack.ts';
import { buildRelease } from './cli.ts';
import { expectImages, expectRunning } from './suite.ts';

vi.setConfig({ testTimeout: 900_000, hookTimeout: 600_000 });

/** Full, then deltas, on one image store. */
export function structureSuite(store: 'graph' | 'ctd'): void {
  describe.skipIf(skipReason())(`on the ${store} store`, () => {
    const { generations, withLargeApp, versions: last } = matrixOf(store);
    const compose = generations.map((generation) => ['docker-compose', generation] as const);
    describe.each([...(withLargeApp ? [['app', '2026-09'] as const] : []), ...compose])(
      '%s (%s): an application that changes in every way',
      (module, generation) => {
        const device = new Device(`e2e-${store}`, generation);
        const folder = mkdtempSync(join(tmpdir(), 'mender-docker-delta-e2e-'));
        const versions: Services[] = [];
        const artifacts: string[] = [];
        beforeAll(async () => {
          device.fresh();
          for (let version = 1; version <= last; version += 1)
            versions.push(await application(folder, version));
        });
        afterAll(() => {
          device.down('--wipe');
          rmSync(folder, { recursive: true });
        });

        test.each([1, 2, 3].slice(0, last))('version %i', async (version) => {
          const services = versions[version - 1]!;
          const old = versions[version - 2];
          const base = old && artifacts[version - 2];
          const artifact = await buildRelease(folder, {
            version: String(version),
            module,
            services,
            ...(base ? { base } : {}),
          });
          artifacts.push(artifact);
          const sizes = artifacts.map((path) => statSync(path).size);
          // Version 2 brings a new service, whose image is whole.
          expect(sizes.at(-1)! / sizes[0]!).toBeLessThan([1.1, 0.6, 0.2][version - 1]!);
          const { code, output } = device.install(artifact);
          expect(code, output).toBe(0);
          expectRunning(device, services);
          if (module === 'docker-compose') expectImages(device, services);
          expect(device.provides()).toMatchObject({
            artifact_name: `${PROJECT}-${version}`,
            [versionKey(module)]: String(version),
          });
        });
      },
    );
  });
}
