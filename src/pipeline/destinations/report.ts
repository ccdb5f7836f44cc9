import { amountOf } from '../../io/amounts.ts';
import type { Resolution } from '../../destinations/resolve.ts';
import type { RunResult } from '../../destinations/states.ts';
import { combinedResult, runResult } from '../../destinations/states.ts';
import { DeploymentError, messageOf, NotFoundError } from '../../errors.ts';
import type { UserError } from '../../errors.ts';
import { noDestination, noDestinationText } from './targets.ts';
import type { AccountReport, MapDeployment, PlannedRun } from './types.ts';

/** The result of all artifacts that one command deployed by a map; what `--report` writes. */
export interface RunsReport extends RunResult {
  runs: RunReport[];
}

/** What happened to one artifact. */
export interface RunReport extends RunResult {
  artifact: {
    name: string;
    application: string;
    version: string;
    architecture: string | null;
    files: string[];
  };
  /** Null if no map knows the application. */
  map: MapReport | null;
  error?: string;
  accounts: AccountReport[];
}

export interface MapReport {
  /** The place of the entry. */
  path: string;
  name: string;
  workflow: string;
  cloud: string;
  /** How many entries of other clouds were skipped. */
  otherClouds: number;
  /** As in the map; it has no effect. */
  billingCodeConfig: object;
}

/** The run of one artifact. */
export interface ArtifactRun {
  report: RunReport;
  failures: UserError[];
  /** True if no map knows the application. */
  isMissing: boolean;
}

/** What was done, and how it ended. */
export interface MapResult {
  report: RunsReport;
  /** To be thrown once the report is printed. */
  failure: UserError | undefined;
}

/** The part of a report that is known before the first upload. */
function headOf({ artifact, targets }: PlannedRun): Pick<RunReport, 'artifact' | 'map' | 'error'> {
  const { name, application, version, architecture = null, files } = artifact;
  const paths = files.map(({ path }) => path);
  const head = { artifact: { name, application, version, architecture, files: paths } };
  if (targets instanceof NotFoundError) return { ...head, map: null, error: targets.message };
  return { ...head, map: mapReport(targets.resolution) };
}

/** The part of a report that is about the map. */
export function mapReport({ path, otherClouds, entry }: Resolution): MapReport {
  const { name, workflow, cloud, billing_code_config: billingCodeConfig } = entry;
  return { path, name, workflow, cloud, otherClouds, billingCodeConfig };
}

/**
 * The report of one artifact. An interrupted run failed, though its deployments may still be
 * running.
 */
export function reportRun(
  run: PlannedRun,
  accounts: AccountReport[],
  { allowEmpty }: Pick<MapDeployment, 'allowEmpty'>,
  signal: AbortSignal | undefined,
): RunReport {
  const states = accounts.flatMap(({ destinations }) => destinations.map(({ state }) => state));
  const head = headOf(run);
  const result = runResult(states, allowEmpty && head.map !== null);
  const isEmpty = states.length === 0 && !result.success && head.error === undefined;
  const error = isEmpty ? { error: noDestinationText(head.artifact.architecture) } : {};
  const report = { ...head, ...result, accounts, ...error };
  if (signal?.aborted !== true) return report;
  return { ...report, success: false, skipped: false, error: messageOf(signal.reason) };
}

/** The result of all runs. */
export function resultOf(runs: readonly ArtifactRun[]): MapResult {
  const reports = runs.map(({ report }) => report);
  const isMissing = runs.some((run) => run.isMissing);
  const report = { ...combinedResult(reports, isMissing), runs: reports };
  // Unknown applications come first.
  const ordered = [...runs].sort((a, b) => Number(b.isMissing) - Number(a.isMissing));
  const failures = ordered.flatMap((run) => run.failures);
  return { report, failure: report.success ? undefined : failureOf(report, failures) };
}

/**
 * A single failure as it is. Several become one that counts them, or the first if all have its exit
 * code.
 */
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
    `${amountOf(failures.length, 'failure')}, the first: ${first.message}`,
    first.hint === undefined ? {} : { hint: first.hint },
  );
}
