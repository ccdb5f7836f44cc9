import { writeFile } from 'node:fs/promises';
import { NotFoundError, UserError, messageOf } from '../../errors.ts';
import { writeAtomically } from '../../io/files.ts';
import { mapLimited } from '../../io/pool.ts';
import { redact } from '../../io/redact.ts';
import { attempt, deployAll, destinationReport } from './deploy.ts';
import type {
  AccountReport,
  AccountResults,
  DestinationReport,
  AccountRun,
  MapDeployment,
  PlannedRun,
  RunEffects,
} from './types.ts';
import type { ArtifactRun, MapResult } from './report.ts';
import { reportRun, resultOf } from './report.ts';
import { uploadToAccount } from './upload.ts';
import { pruneArtifacts } from '../release/retention.ts';
import type { Pruned } from '../release/retention.ts';

/** Accounts at a time. */
const AT_ONCE = 8;

/**
 * Uploads artifacts to their accounts, deploys them, waits, and writes the report, even when it is
 * interrupted. Failures are in the result; a failure ends only what depends on it.
 */
export async function carryOut(
  planned: readonly PlannedRun[],
  request: MapDeployment,
  effects: RunEffects,
): Promise<MapResult> {
  const runs: ArtifactRun[] = [];
  for (const run of planned) {
    const { accounts, failures } = await deployToAccounts(run, request, effects);
    const report = reportRun(run, accounts, request, effects.signal);
    runs.push({ report, failures, isMissing: run.targets instanceof NotFoundError });
  }
  const result = resultOf(runs);
  if (request.report !== undefined) await writeReport(request.report, result);
  return result;
}

async function writeReport(path: string, { report }: MapResult): Promise<void> {
  await writeAtomically(path, (temporary) =>
    writeFile(temporary, `${redact(JSON.stringify(report, null, 2))}\n`),
  );
}

/**
 * All accounts in parallel. If all went well for one, prunes old versions there as the map says. An
 * interruption ends everything and is one of the failures.
 */
async function deployToAccounts(
  { artifact, targets }: PlannedRun,
  request: MapDeployment,
  effects: RunEffects,
): Promise<AccountResults> {
  if (targets instanceof NotFoundError) return { accounts: [], failures: [targets] };
  const results = await mapLimited(targets.accounts, AT_ONCE, async (account) => {
    const one: AccountRun = { artifact, account, request, effects, failures: [] };
    return { report: await runAccount(one), failures: one.failures };
  });
  return {
    accounts: results.map(({ report }) => report),
    failures: results.flatMap(({ failures }) => failures),
  };
}

async function runAccount(one: AccountRun): Promise<AccountReport> {
  const { artifact, request, account, effects } = one;
  const { api, provider } = account;
  const head = { account: account.account, host: api.host, provider };
  const uploads = await attempt(one, () => {
    const { notes, log, progress, pauseMs } = effects;
    const upload = { api, notes, log, progress, ...(pauseMs === undefined ? {} : { pauseMs }) };
    return uploadToAccount(artifact, account, request.direct, upload);
  });
  if (uploads instanceof UserError) {
    const error = messageOf(uploads);
    const blocked = account.destinations.map((target) =>
      destinationReport(target, { state: 'UPLOADFAILED' }),
    );
    return { ...head, state: 'UPLOADFAILED', uploads: [], error, destinations: blocked, retention: [] };
  }
  const isKept = uploads.some(({ outcome }) => outcome === 'kept');
  const destinations = (await deployAll(one)).map((report) => (isKept ? asKept(report) : report));
  return { ...head, state: 'UPLOADED', uploads, destinations, retention: await prune(one, destinations) };
}

/** What a destination has then is another artifact than the one of this run. */
function asKept(report: DestinationReport): DestinationReport {
  return report.state === 'DEPLOYED' ? { ...report, state: 'KEPT' } : report;
}

async function prune(
  { artifact, account, effects }: AccountRun,
  reports: readonly DestinationReport[],
): Promise<Pruned[]> {
  if (!reports.every(({ state }) => state === 'DEPLOYED')) return [];
  const { application, name } = artifact;
  const { retention: rules } = account;
  try {
    return await pruneArtifacts(account.api, { application, rules, dryRun: false, keep: name });
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    // The deployments are fine, and the next run prunes again.
    effects.log.warning(`${account.account}: old versions were not pruned: ${messageOf(error)}`);
    return [];
  }
}
