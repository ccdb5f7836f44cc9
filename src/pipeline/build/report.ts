import { rm, stat } from 'node:fs/promises';
import type { ShippedFile } from '../../compose/application.ts';
import { UsageError } from '../../errors.ts';
import { fileError } from '../../io/files.ts';
import type { World } from '../images/world.ts';
import type { BuildPlan } from '../plan/planBuild.ts';
import type { BuiltParts } from '../report/measureBuilt.ts';
import { measureBuilt } from '../report/measureBuilt.ts';
import type { ArtifactSizes } from '../report/model.ts';
import { releaseOf } from '../report/reportPage.ts';
import { refuseOtherPage, writePage } from '../report/writePage.ts';
import type { SettledRequest } from '../request.ts';
import { choosePatches } from './patches.ts';
import { makePayloadImages } from './payloadImages.ts';

/**
 * Removes the page `path` of an earlier build before its artifact is replaced, so that no page
 * tells of another artifact than the one that is there. `paths`: the other files of the run. Throws
 * UsageError if there is something else than a page.
 */
export async function removeOldReport(path: string | undefined, paths: readonly string[]): Promise<void> {
  if (path === undefined) return;
  if (paths.includes(path)) {
    throw new UsageError(`--report-html ${path}: the artifact goes there, or its SBOM or provenance`, {
      hint: 'choose another file',
    });
  }
  await refuseOtherPage(path);
  try {
    await rm(path, { force: true });
  } catch (error) {
    throw fileError(error, `removing the old report ${path}`);
  }
}

/** Writes the page `path` about all artifacts of a run, with the mode of the first one. */
export async function writeReport(
  path: string | undefined,
  built: readonly (BuiltParts & { request: SettledRequest })[],
  world: World,
): Promise<void> {
  const [first] = built;
  if (path === undefined || first?.artifact === undefined) return;
  const artifacts: ArtifactSizes[] = [];
  for (const one of built) artifacts.push(await measureBuilt(one, one.request, world));
  const mode = (await stat(first.artifact.path)).mode & 0o777;
  await writePage(path, { artifacts, history: artifacts.map(releaseOf) }, mode);
  world.log.info(`wrote the report ${path}`);
}

/**
 * Measures the artifact of a plan before it is built. Fetches its layers and makes its deltas,
 * which stay in the cache.
 */
export async function measurePlan(
  plan: BuildPlan,
  files: readonly ShippedFile[],
  request: SettledRequest,
  world: World,
): Promise<ArtifactSizes> {
  await world.cache.ensureWritable();
  const deltas = await makePayloadImages(plan.images, request, world, true);
  const images = await choosePatches(deltas, request, world);
  return measureBuilt({ plan, images, files }, request, world);
}
