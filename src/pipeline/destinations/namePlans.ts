import type { Platform } from '../../oci/platform.ts';
import type { BuildPlan } from '../plan/planBuild.ts';
import { nameByMap } from './target.ts';
import type { MapContext, MapDeployment } from './types.ts';

/**
 * Build plans under the artifact name that the map asks for. What tells several artifacts of one
 * run apart stays at the end of the name. Throws what `nameByMap` throws.
 */
export async function namePlans(
  plans: BuildPlan[],
  { architecture }: Platform,
  request: MapDeployment,
  context: MapContext,
): Promise<BuildPlan[]> {
  const [first] = plans;
  if (first === undefined) return plans;
  const { application, version } = first;
  const name = await nameByMap({ application, version, architecture }, request, context);
  if (name === undefined) return plans;
  const usual = `${application}-${version}`;
  return plans.map((plan) => ({ ...plan, artifactName: name + plan.artifactName.slice(usual.length) }));
}
