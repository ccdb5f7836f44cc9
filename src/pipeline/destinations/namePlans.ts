import type { BuildPlan } from '../plan/planBuild.ts';
import type { ShippedSoftware } from './targets.ts';
import { nameByMap } from './targets.ts';
import type { Targets } from './types.ts';

/**
 * Build plans of one application under the artifact name that its map asks for. What tells several
 * artifacts of one run apart stays at the end of the name. Throws UsageError if the map asks for
 * several names.
 */
export function namePlans(plans: BuildPlan[], software: ShippedSoftware, targets: Targets): BuildPlan[] {
  const name = nameByMap(software, targets);
  if (name === undefined) return plans;
  const usual = `${software.application}-${software.version}`;
  return plans.map((plan) => ({ ...plan, artifactName: name + plan.artifactName.slice(usual.length) }));
}
