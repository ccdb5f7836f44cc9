import { formatBytes } from '../../io/amounts.ts';
import { withTemporaryFolder } from '../../io/temporaries.ts';
import type { Api } from '../../server/api.ts';
import { buildAll } from '../build/build.ts';
import type { Prepared } from '../build/prepare.ts';
import type { ReleaseArtifact } from '../fleet/releaseArtifacts.ts';
import type { World } from '../images/world.ts';
import type { BuildPlan } from '../plan/planBuild.ts';
import { uploadArtifact } from '../release/upload.ts';
import type { Named } from './stock.ts';
import { nameToBuild } from './stock.ts';
import type { Base } from './types.ts';

/**
 * Builds the artifacts of these bases in one run, which fetches and unpacks each layer once, and
 * uploads them. Keeps no file: an interrupted run builds again, from the cache. `prepared` has a
 * plan for each base.
 */
export async function supplyArtifacts(
  bases: readonly Base[],
  prepared: Prepared,
  artifacts: readonly ReleaseArtifact[],
  named: Named,
  { api, world }: { api: Api; world: World },
): Promise<void> {
  const plans = bases.flatMap((base) => {
    const plan = planOf(base, prepared);
    return plan === undefined ? [] : [{ ...plan, artifactName: nameToBuild(base, artifacts, named) }];
  });
  await withTemporaryFolder('rollout', async (folder) => {
    const request = { ...prepared.request, output: undefined, outputFolder: folder };
    const built = await buildAll([{ ...prepared, plans, request }], world);
    for (const { artifact } of built) {
      const { log, progress } = world;
      const { name, size } = await uploadArtifact({ path: artifact.path }, { api, log, progress });
      log.info(`uploaded ${name} (${formatBytes(size)})`);
    }
  });
}

/** The plan of the artifact for a base. */
export function planOf(base: Base, { plans }: Pick<Prepared, 'plans'>): BuildPlan | undefined {
  return plans.find(({ baseline }) => baseline?.metadata.version === (base ?? undefined));
}
