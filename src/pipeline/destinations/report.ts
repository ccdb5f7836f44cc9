import type { Resolution } from '../../destinations/resolve.ts';
import type { RunResult } from '../../destinations/states.ts';
import { combinedResult, runResult } from '../../destinations/states.ts';
import { DeploymentError, messageOf } from '../../errors.ts';
import type { UserError } from '../../errors.ts';
import type { ArtifactSet } from './artifact.ts';
import { noDestination, noDestinationText } from './target.ts';
import type { AccountReport, MapDeployment } from './types.ts';

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

/** The part of a run's report that is known before the first upload. */
export type RunHead = Pick<RunReport, 'artifact' | 'map' | 'error'>;

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

/** The head of an artifact's report. */
export function headOf(
  { name, application, version, architecture, files }: ArtifactSet,
  resolution: Resolution | undefined,
): RunHead {
  const paths = files.map(({ path }) => path);
  return {
    artifact: { name, application, version, architecture: architecture ?? null, files: paths },
    map: resolution === undefined ? null : mapReport(resolution),
  };
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
  head: RunHead,
  accounts: AccountReport[],
  { allowEmpty }: Pick<MapDeployment, 'allowEmpty'>,
  signal: AbortSignal | undefined,
): RunReport {
  const states = accounts.flatMap(({ destinations }) => destinations.map(({ state }) => state));
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
    `${failures.length} failures, the first: ${first.message}`,
    first.hint === undefined ? {} : { hint: first.hint },
  );
}
