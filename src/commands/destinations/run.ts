import { writeFile } from 'node:fs/promises';
import { combinedResult, runResult } from '../../destinations/states.ts';
import { DeploymentError, messageOf } from '../../errors.ts';
import type { UserError } from '../../errors.ts';
import { writeAtomically } from '../../io/files.ts';
import { redact } from '../../io/redact.ts';
import { destinedArtifacts } from '../../pipeline/destinations/artifact.ts';
import { destine } from '../../pipeline/destinations/carryOut.ts';
import type { Destined, DestineRequest } from '../../pipeline/destinations/types.ts';
import { cacheOf } from '../options/cacheFolder.ts';
import type { Context } from '../terminal/command.ts';
import { openMaps } from './map.ts';
import { refuseOtherTargets } from '../options/destinations.ts';
import type { DestineFlags, Planned } from './plan.ts';
import { noDestination, noDestinationText, planOne } from './plan.ts';
import type { RunsReport, RunReport } from './report.ts';
import { destinationText } from './report.ts';
import { watchTimes } from '../options/watch.ts';

/** What was done, and how it ended. */
export interface DestinationRun {
  report: RunsReport;
  /** To be thrown once the report is printed. */
  failure: UserError | undefined;
}

/**
 * Uploads artifact files to every account that the map names for their application, deploys them to the destinations of
 * each, waits, and writes `--report`, also when it is interrupted. Everything is looked up before the first byte is sent: throws UsageError,
 * NotFoundError and DeniedError for maps, accounts and tokens that are wrong. Failures on the way are in the result.
 */
export async function deployToDestinations(
  files: readonly string[],
  flags: DestineFlags,
  context: Context,
): Promise<DestinationRun> {
  const settings = runSettings(flags);
  const maps = await openMaps(flags, context);
  const planned: Planned[] = [];
  for (const artifact of await destinedArtifacts(files, context.signal)) {
    planned.push(await planOne(artifact, maps, flags, context));
  }
  const cache = cacheOf(flags.cacheDir, context);
  const { signal } = context;
  const ended: Ended[] = [];
  for (const { artifact, run, accounts } of planned) {
    const { failures, ...destined } = await destine(
      { artifact, accounts, ...settings },
      { ...context, cache },
    );
    const report = reportOf(run, destined, flags);
    ended.push({ run: signal.aborted ? cutShort(report, signal) : report, failures });
  }
  const missing = planned.flatMap((one) => one.missing ?? []);
  const { report, failure } = resultOf(ended, missing);
  if (flags.report !== undefined) await writeReport(flags.report, report);
  return { report, failure };
}

type RunSettings = Omit<DestineRequest, 'artifact' | 'accounts'>;

function runSettings(flags: DestineFlags): RunSettings {
  refuseOtherTargets(flags);
  const created = flags.waitForDeploy === false ? 'created' : 'finished';
  return {
    ...watchTimes(flags),
    direct: flags.directUpload ?? false,
    deploymentName: flags.deploymentName,
    deploy: flags.uploadOnly === true ? 'no' : created,
    abortOnFailure: flags.abortOnFailure ?? false,
  };
}

interface Ended {
  run: RunReport;
  failures: UserError[];
}

function resultOf(ended: readonly Ended[], missing: readonly UserError[]): DestinationRun {
  const runs = ended.map(({ run }) => run);
  const report = { ...combinedResult(runs, missing.length > 0), runs };
  const failures = [...missing, ...ended.flatMap((one) => one.failures)];
  return { report, failure: report.success ? undefined : failureOf(report, failures) };
}

/** Prints what was done; throws what failed. */
export function finishDestinations({ report, failure }: DestinationRun, context: Context): void {
  context.report(report, destinationText(report));
  if (failure !== undefined) throw failure;
}

function reportOf(
  run: Planned['run'],
  { accounts }: Pick<Destined, 'accounts'>,
  { allowEmptyTargets = false }: DestineFlags,
): RunReport {
  const states = accounts.flatMap(({ destinations }) => destinations.map(({ state }) => state));
  const result = runResult(states, allowEmptyTargets && run.map !== null);
  const none = states.length === 0 && !result.success && run.error === undefined;
  return {
    ...run,
    ...result,
    accounts,
    ...(none ? { error: noDestinationText(run.artifact.architecture) } : {}),
  };
}

/** What an interruption left of a run: deployments that were created go on. */
function cutShort(run: RunReport, { reason }: AbortSignal): RunReport {
  return { ...run, success: false, skipped: false, error: messageOf(reason) };
}

async function writeReport(path: string, report: RunsReport): Promise<void> {
  await writeAtomically(path, (temporary) =>
    writeFile(temporary, `${redact(JSON.stringify(report, null, 2))}\n`),
  );
}

/** The only failure as it is; of several one that counts them, with their exit code where it is the same. */
function failureOf(report: RunsReport, failures: readonly UserError[]): UserError {
  const [first, ...more] = failures;
  if (first === undefined) {
    const errors = report.runs.flatMap(({ artifact, error }) =>
      error === undefined ? [] : `${artifact.name}: ${error}`,
    );
    return noDestination(errors.join('; '));
  }
  if (more.every(({ exitCode }) => exitCode === first.exitCode)) return first;
  return new DeploymentError(
    `${failures.length} failures, the first: ${first.message}`,
    first.hint === undefined ? {} : { hint: first.hint },
  );
}
