import { UserError } from '../../errors.ts';
import type { ShippedSoftware } from '../../pipeline/destinations/targets.ts';
import { findTargets } from '../../pipeline/destinations/targets.ts';
import type { MapContext, MapDeployment, Targets } from '../../pipeline/destinations/types.ts';
import type { NamedServer } from '../../pipeline/images/world.ts';
import type { MapDeployFlags } from '../open/mapContext.ts';
import { mapDeployment, openMapContext } from '../open/mapContext.ts';
import type { Context } from '../terminal/command.ts';

/** Where the artifact of a run goes, by a destination map. */
export interface MapRun {
  deployment: MapDeployment;
  context: MapContext;
  targets: Targets;
}

/** Finds where software goes. */
export type FindMapRun = (software: ShippedSoftware) => Promise<MapRun>;

/**
 * Opens the map that the flags name. Throws UsageError for an invalid map and for options that
 * contradict it. The function that it returns throws what `findTargets` throws.
 */
export async function openMapRun(flags: MapDeployFlags, context: Context): Promise<FindMapRun> {
  const deployment = mapDeployment(flags, context);
  const opened = await openMapContext(flags, context);
  return async (software) => {
    const targets = await findTargets(software, deployment, opened);
    return { deployment, context: opened, targets };
  };
}

/**
 * Returns where software would go. A plan needs no tokens: if something is missing, it warns and
 * returns undefined.
 */
export async function mapRunIfAny(
  software: ShippedSoftware,
  flags: MapDeployFlags,
  context: Context,
): Promise<MapRun | undefined> {
  try {
    return await (
      await openMapRun(flags, context)
    )(software);
  } catch (error) {
    if (!(error instanceof UserError) || context.signal.aborted) throw error;
    context.log.warning(`${error.message}: the base does not come from the servers of the map`);
    return undefined;
  }
}

/** The servers of all accounts that get the artifact. */
export function serversOf({ targets }: MapRun): NamedServer[] {
  return targets.accounts.map(({ account, api }) => ({ name: `${account} (${api.host})`, api }));
}
