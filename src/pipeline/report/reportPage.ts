import { withFile } from '../../io/progress.ts';
import type { World } from '../images/world.ts';
import type { ArtifactContent } from '../verify/content.ts';
import { readContent } from '../verify/content.ts';
import { promisedSizes } from '../verify/names.ts';
import { baseVersion } from '../verify/verify.ts';
import { measureArtifact, requireImageModule } from './measureArtifact.ts';
import type { ArtifactSizes, PastRelease, ReportPage } from './model.ts';

/**
 * Returns the page about the artifacts at `paths`, oldest first: the last one in detail, and the
 * history of all. A delta is compared with `bases`, or else with what the earlier artifacts and the
 * cache have of its base. Throws what `measureArtifact` throws.
 */
export async function reportPage(
  paths: readonly string[],
  bases: readonly string[],
  world: World,
): Promise<ReportPage> {
  const earlier = paths.slice(0, -1);
  const history: PastRelease[] = [];
  for (const path of earlier) history.push(await readRelease(path, world));
  const artifacts: ArtifactSizes[] = [];
  for (const path of paths.slice(-1)) {
    artifacts.push(await measureArtifact(path, { bases, others: earlier }, world));
  }
  return { artifacts, history: [...history, ...artifacts.map(releaseOf)] };
}

/** The line of a measured artifact in a history. Pure. */
export function releaseOf({ artifactName, size, madeFrom, images }: ArtifactSizes): PastRelease {
  const layers = images.flatMap((image) => image.layers);
  return {
    ...{ artifactName, size, madeFrom },
    installed: sum(layers.map((layer) => layer.size)),
    layers: layers.length,
    unchanged: layers.filter(({ kind }) => kind === 'omit' || kind === 'identity').length,
  };
}

async function readRelease(path: string, { progress, signal }: World): Promise<PastRelease> {
  const content = await withFile(progress, 'reading', path, (onRead) =>
    readContent(path, { onRead, signal }),
  );
  requireImageModule(content);
  return releaseIn(content);
}

/** The same for an artifact whose layers nobody looked into. Pure. */
function releaseIn({ report, images }: ArtifactContent): PastRelease {
  const layers = images.flatMap((image) => image.report.layers);
  return {
    artifactName: report.artifactName,
    size: report.size,
    madeFrom: baseVersion(report),
    installed: sum(images.flatMap(promisedSizes)),
    layers: layers.length,
    unchanged: layers.filter(
      ({ kind, from, diffID }) => kind === 'omit' || (from !== undefined && from === diffID),
    ).length,
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
