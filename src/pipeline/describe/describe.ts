import { rm, stat, writeFile } from 'node:fs/promises';
import type { LayerStore } from '../../cache/layers.ts';
import { fileError, writeAtomically } from '../../io/files.ts';
import type { Log } from '../../io/log.ts';
import { digestOfFile } from '../../io/verify.ts';
import { provenance } from './provenance.ts';
import type { SettledRequest } from '../request.ts';
import { findPackages } from './packages/findPackages.ts';
import type { DescribedArtifact } from './sbom.ts';
import { cycloneDx } from './sbom.ts';

/** What the paths of the documents have in addition to that of the artifact. */
export const SBOM_ENDING = '.cdx.json';
export const PROVENANCE_ENDING = '.provenance.json';

/**
 * Writes `<path>.cdx.json` and `<path>.provenance.json` for the artifact at `path`, each whole or
 * not at all, with the artifact's mode. Reads the packages of the images from their layers in the
 * cache.
 */
export async function describeArtifact(
  path: string,
  { plan, images, source }: Pick<DescribedArtifact, 'plan' | 'images' | 'source'>,
  request: SettledRequest,
  toolVersion: string,
  { layers, log }: { layers: LayerStore; log: Log },
): Promise<void> {
  const { modificationTime } = request;
  const { digest } = await digestOfFile(path);
  const packages = await findPackages(images, layers, log);
  const artifact = { path, digest, plan, images, source, packages, toolVersion, modificationTime };
  const mode = (await stat(path)).mode & 0o777;
  await writeJson(path + SBOM_ENDING, cycloneDx(artifact), mode);
  await writeJson(path + PROVENANCE_ENDING, provenance(artifact, request), mode);
}

/**
 * Removes the documents next to the artifact at `path`, if they are there. Throws UsageError if it
 * can't.
 */
export async function removeSideFiles(path: string): Promise<void> {
  for (const side of [path + SBOM_ENDING, path + PROVENANCE_ENDING]) {
    await rm(side, { force: true }).catch((error: unknown) => {
      throw fileError(error, `removing ${side}`);
    });
  }
}

async function writeJson(path: string, value: unknown, mode: number): Promise<void> {
  const text = `${JSON.stringify(value, null, 2)}\n`;
  await writeAtomically(path, (temporary) => writeFile(temporary, text, { mode }));
}
