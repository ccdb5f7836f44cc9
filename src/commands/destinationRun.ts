import { writeFile } from 'node:fs/promises';
import { artifactNameOf } from '../destinations/settings.ts';
import type { DeploySettings } from '../destinations/settings.ts';
import type { PlannedAccount } from '../destinations/plan.ts';
import { planAccounts } from '../destinations/plan.ts';
import type { Maps } from '../destinations/resolve.ts';
import { combinedResult, runResult } from '../destinations/states.ts';
import { DeploymentError, NotFoundError, UserError } from '../errors.ts';
import { writeAtomically } from '../io/files.ts';
import type { DestinedArtifact } from '../pipeline/destinedArtifact.ts';
import { destinedArtifacts } from '../pipeline/destinedArtifact.ts';
import { destine } from '../pipeline/destine.ts';
import type { Destined } from '../pipeline/destineRequest.ts';
import type { Api } from '../server/api.ts';
import type { Context } from './command.ts';
import type { DeployFlags } from './deployOptions.ts';
import { enterpriseOf } from './deployOptions.ts';
import { openMaps, resolveName } from './destinationMap.ts';
import type { DestinationFlags } from './destinationOptions.ts';
import { refuseOtherTargets } from './destinationOptions.ts';
import type { DestinationReport, RunReport } from './destinationReport.ts';
import { destinationText, mapReport } from './destinationReport.ts';
import { openAccount, readProfiles } from './profiles.ts';
import { watchTimes } from './watchOptions.ts';

/** The options of a command that deploys by a map. */
export interface DestineFlags extends DestinationFlags, DeployFlags {
  description?: string;
  directUpload?: boolean;
  /** False: deploy nothing, only upload. */
  deploy?: boolean;
}

/** What was done, and how it ended. */
export interface DestinationRun {
  report: DestinationReport;
  /** To be thrown once the report is printed. */
  failure: UserError | undefined;
}

interface Planned {
  artifact: DestinedArtifact;
  run: Omit<RunReport, 'accounts' | 'success' | 'skipped'>;
  accounts: (PlannedAccount & { api: Api })[];
  missing?: NotFoundError;
}

/**
 * Uploads artifact files to every account that the map names for their application, deploys them to the destinations of
 * each, waits, and writes `--report`. Everything is looked up before the first byte is sent: throws UsageError,
 * NotFoundError and DeniedError for maps, accounts and tokens that are wrong. Failures on the way are in the result.
 */
export async function deployToDestinations(
  files: readonly string[],
  flags: DestineFlags,
  context: Context,
): Promise<DestinationRun> {
  refuseOtherTargets(flags);
  const times = watchTimes(flags);
  const maps = await openMaps(flags, context);
  const planned: Planned[] = [];
  for (const artifact of await destinedArtifacts(files, context.signal)) {
    planned.push(await planOne(artifact, maps, flags, context));
  }
  const deploy = flags.deploy === false ? 'no' : flags.waitForDeploy === false ? 'created' : 'finished';
  const common = {
    direct: flags.directUpload ?? false,
    deploymentName: flags.deploymentName,
    deploy,
    ...times,
  } as const;
  const runs: { run: RunReport; failures: UserError[] }[] = [];
  for (const { artifact, run, accounts } of planned) {
    const destined = await destine(
      { artifact, accounts, ...common, abortOnFailure: flags.abortOnFailure ?? false },
      context,
    );
    runs.push({ run: reportOf(run, destined, flags), failures: destined.failures });
  }
  const missing = planned.flatMap((one) => one.missing ?? []);
  const result = combinedResult(
    runs.map(({ run }) => run),
    missing.length > 0,
  );
  const report = { ...result, runs: runs.map(({ run }) => run) };
  if (flags.report !== undefined) await writeReport(flags.report, report);
  const failures = [...missing, ...runs.flatMap((one) => one.failures)];
  return { report, failure: report.success ? undefined : failureOf(report, failures) };
}

/** Prints what was done; throws what failed. */
export function finishDestinations({ report, failure }: DestinationRun, context: Context): void {
  context.print(context.json ? JSON.stringify(report) : destinationText(report));
  if (failure !== undefined) throw failure;
}

async function planOne(
  artifact: DestinedArtifact,
  maps: Maps,
  flags: DestineFlags,
  context: Context,
): Promise<Planned> {
  const { name, application, version, architecture, files } = artifact;
  const facts = {
    name,
    application,
    version,
    architecture: architecture ?? null,
    files: files.map(({ path }) => path),
  };
  const found = await resolveName(maps, { name: application, version }, flags, context).catch(
    (error: unknown) => {
      if (error instanceof NotFoundError) return error;
      throw error;
    },
  );
  if (found instanceof NotFoundError) {
    context.log.warning(`${name}: ${found.message}`);
    return {
      artifact,
      run: { artifact: facts, map: null, error: found.message },
      accounts: [],
      missing: found,
    };
  }
  // An artifact that does not say what it is for goes only where any architecture will do.
  const narrowing = { architecture: architecture ?? '', accounts: flags.account };
  const accounts = planAccounts(found, narrowing, settingsOfFlags(flags));
  warnOfNames(artifact, accounts, context);
  return {
    artifact,
    run: { artifact: facts, map: mapReport(found) },
    accounts: await opened(accounts, flags, context),
  };
}

/** All accounts before the first upload, so that a missing token costs nothing. */
async function opened(
  accounts: readonly PlannedAccount[],
  { config }: DestineFlags,
  context: Context,
): Promise<(PlannedAccount & { api: Api })[]> {
  const profiles = await readProfiles(config, context.environment);
  const open: (PlannedAccount & { api: Api })[] = [];
  for (const one of accounts) {
    open.push({ ...one, api: await openAccount(one.account, one.path, profiles, context) });
  }
  return open;
}

function settingsOfFlags(flags: DestineFlags): DeploySettings {
  const { phases, retries, updateControlMap } = enterpriseOf(flags);
  return { force: flags.force, description: flags.description, phases, retries, updateControlMap };
}

function warnOfNames(
  { name, application, version, architecture }: DestinedArtifact,
  accounts: readonly PlannedAccount[],
  { log }: Context,
): void {
  const values = { name: application, version, architecture: architecture ?? '' };
  for (const { path, destinations } of accounts) {
    const wanted = destinations.map(({ destination }) => artifactNameOf(destination.meta, values));
    const other = wanted.find((one) => one !== undefined && one !== name);
    if (other !== undefined)
      log.warning(`${path}: the map wants an artifact named ${other}, and this one is ${name}`);
  }
}

function reportOf(
  run: Planned['run'],
  { accounts }: Destined,
  { allowEmptyTargets = false }: DestineFlags,
): RunReport {
  const states = accounts.flatMap(({ destinations }) => destinations.map(({ state }) => state));
  const result = runResult(states, allowEmptyTargets && run.map !== null);
  const none = states.length === 0 && !result.success && run.error === undefined;
  return {
    ...run,
    ...result,
    accounts,
    ...(none ? { error: `no destination is for ${run.artifact.architecture ?? 'any architecture'}` } : {}),
  };
}

async function writeReport(path: string, report: DestinationReport): Promise<void> {
  await writeAtomically(path, (temporary) => writeFile(temporary, `${JSON.stringify(report, null, 2)}\n`));
}

/** The only failure as it is; of several one that counts them, with their exit code where it is the same. */
function failureOf(report: DestinationReport, failures: readonly UserError[]): UserError {
  const [first, ...more] = failures;
  if (first === undefined) {
    const errors = report.runs.flatMap(({ artifact, error }) =>
      error === undefined ? [] : `${artifact.name}: ${error}`,
    );
    return new NotFoundError(errors.join('; '), {
      hint: 'check the architectures in the map, or give --allow-empty-targets',
    });
  }
  if (more.every(({ exitCode }) => exitCode === first.exitCode)) return first;
  return new DeploymentError(
    `${failures.length} failures, the first: ${first.message}`,
    first.hint === undefined ? {} : { hint: first.hint },
  );
}
