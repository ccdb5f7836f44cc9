import { resolveApplication } from '../../destinations/resolve.ts';
import { NotFoundError } from '../../errors.ts';
import type { Log } from '../../io/log.ts';
import type { ArtifactSet } from './artifact.ts';
import { carryOut } from './carryOut.ts';
import type { MapResult } from './report.ts';
import { namesOf, openTargets } from './targets.ts';
import type { MapContext, MapDeployment, PlannedRun, Targets } from './types.ts';

/**
 * Uploads artifacts to every account that the maps name for their application, deploys them to the
 * destinations of each account, waits, and writes the report, even when it is interrupted. All
 * destinations are looked up before the first byte is sent: throws UsageError, NotFoundError and
 * DeniedError for invalid maps, accounts and tokens. Later failures are in the result.
 */
export async function deployByMap(
  artifacts: readonly ArtifactSet[],
  request: MapDeployment,
  context: MapContext,
): Promise<MapResult> {
  const runs: PlannedRun[] = [];
  for (const artifact of artifacts) {
    runs.push(await planRun(artifact, request, context));
  }
  return carryOut(runs, request, context);
}

/** An application that no map knows is a result of its own; other artifacts still go their way. */
async function planRun(
  artifact: ArtifactSet,
  request: MapDeployment,
  { maps, accounts, log }: Pick<MapContext, 'maps' | 'accounts' | 'log'>,
): Promise<PlannedRun> {
  const { application: name, version } = artifact;
  const found = await resolveApplication(maps, { name, version }, request.choice, log).catch(
    (error: unknown) => {
      if (error instanceof NotFoundError) return error;
      throw error;
    },
  );
  if (found instanceof NotFoundError) {
    log.warning(`${artifact.name}: ${found.message}`);
    return { artifact, targets: found };
  }
  const targets = await openTargets(artifact, found, request, { maps, accounts });
  warnOfNames(artifact, targets, log);
  return { artifact, targets };
}

function warnOfNames(artifact: ArtifactSet, { accounts }: Targets, log: Log): void {
  for (const account of accounts) {
    // The name of a delta may continue after the map's name.
    const other = namesOf(artifact, account).find((one) => !artifact.name.startsWith(one));
    if (other !== undefined) {
      log.warning(
        `${account.path}: the map wants an artifact named ${other}, and this one is ${artifact.name}`,
      );
    }
  }
}
