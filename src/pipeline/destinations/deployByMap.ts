import { writeFile } from 'node:fs/promises';
import { resolveApplication } from '../../destinations/resolve.ts';
import { NotFoundError } from '../../errors.ts';
import type { UserError } from '../../errors.ts';
import { writeAtomically } from '../../io/files.ts';
import { redact } from '../../io/redact.ts';
import type { ArtifactSet } from './artifact.ts';
import { readArtifactSets } from './artifact.ts';
import { deployToAccounts } from './carryOut.ts';
import type { ArtifactRun, MapResult, RunHead } from './report.ts';
import { headOf, reportRun, resultOf } from './report.ts';
import { namesOf, openTargets } from './target.ts';
import type { MapContext, MapDeployment, TargetAccount } from './types.ts';

/**
 * Uploads artifact files to every account that the maps name for their application, deploys them to
 * the destinations of each account, waits, and writes the report, even when it is interrupted. All
 * destinations are looked up before the first byte is sent: throws UsageError, NotFoundError and
 * DeniedError for invalid maps, accounts and tokens. Later failures are in the result.
 */
export async function deployByMap(
  files: readonly string[],
  request: MapDeployment,
  context: MapContext,
): Promise<MapResult> {
  const planned: PlannedRun[] = [];
  for (const artifact of await readArtifactSets(files, context.signal)) {
    planned.push(await planRun(artifact, request, context));
  }
  const runs: ArtifactRun[] = [];
  for (const run of planned) {
    const { accounts, failures } = await deployToAccounts(run, request, context);
    runs.push({
      report: reportRun(run.head, accounts, request, context.signal),
      failures: run.missing === undefined ? failures : [run.missing, ...failures],
      isMissing: run.missing !== undefined,
    });
  }
  const result = resultOf(runs);
  const { report } = request;
  if (report !== undefined) await writeReport(report, result);
  return result;
}

interface PlannedRun {
  artifact: ArtifactSet;
  head: RunHead;
  accounts: TargetAccount[];
  /** No map knows the application. */
  missing?: UserError;
}

async function planRun(
  artifact: ArtifactSet,
  request: MapDeployment,
  context: MapContext,
): Promise<PlannedRun> {
  const { application, version } = artifact;
  const wanted = { name: application, version };
  const found = await resolveApplication(context.maps, wanted, request.choice, context.log).catch(
    (error: unknown) => {
      if (error instanceof NotFoundError) return error;
      throw error;
    },
  );
  if (found instanceof NotFoundError) {
    context.log.warning(`${artifact.name}: ${found.message}`);
    const head = { ...headOf(artifact, undefined), error: found.message };
    return { artifact, head, accounts: [], missing: found };
  }
  const accounts = await openTargets(artifact, found, request, context);
  warnOfNames(artifact, accounts, context);
  return { artifact, head: headOf(artifact, found), accounts };
}

function warnOfNames(
  artifact: ArtifactSet,
  accounts: readonly TargetAccount[],
  { log }: Pick<MapContext, 'log'>,
): void {
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

async function writeReport(path: string, { report }: MapResult): Promise<void> {
  await writeAtomically(path, (temporary) =>
    writeFile(temporary, `${redact(JSON.stringify(report, null, 2))}\n`),
  );
}
