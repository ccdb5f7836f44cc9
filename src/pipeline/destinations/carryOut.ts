import { retentionRules } from '../../destinations/plan.ts';
import { UserError, messageOf } from '../../errors.ts';
import { mapLimited } from '../../io/pool.ts';
import { attempt, deployAll, reportOf } from './deploy.ts';
import type { ArtifactSet } from './artifact.ts';
import type {
  AccountReport,
  AccountResults,
  DestinationReport,
  MapContext,
  MapDeployment,
  TargetAccount,
} from './types.ts';
import type { AccountRun } from './deploy.ts';
import { uploadToAccount } from './upload.ts';
import { pruneArtifacts } from '../release/retention.ts';
import type { Pruned } from '../release/retention.ts';

/** Accounts at a time. */
const AT_ONCE = 8;

/**
 * Uploads an artifact to its accounts in parallel, deploys it to the destinations of each and waits
 * for all. If all went well, prunes old versions as the map says. A failure ends only what depends
 * on it. An interruption ends everything and is one of the failures.
 */
export async function deployToAccounts(
  { artifact, accounts }: { artifact: ArtifactSet; accounts: readonly TargetAccount[] },
  request: MapDeployment,
  context: MapContext,
): Promise<AccountResults> {
  const results = await mapLimited(accounts, AT_ONCE, async (account) => {
    const one: AccountRun = { artifact, account, request, context, failures: [] };
    return { report: await runAccount(one), failures: one.failures };
  });
  return {
    accounts: results.map(({ report }) => report),
    failures: results.flatMap(({ failures }) => failures),
  };
}

async function runAccount(one: AccountRun): Promise<AccountReport> {
  const { artifact, request, account, context } = one;
  const { api, provider } = account;
  const head = { account: account.account, host: api.host, provider };
  const uploads = await attempt(one, () => {
    const { notes, log, progress, pauseMs } = context;
    const upload = { api, notes, log, progress, ...(pauseMs === undefined ? {} : { pauseMs }) };
    return uploadToAccount(artifact, account, request.direct, upload);
  });
  if (uploads instanceof UserError) {
    const error = messageOf(uploads);
    const blocked = account.destinations.map((target) => reportOf(target, { state: 'UPLOADFAILED' }));
    return { ...head, state: 'UPLOADFAILED', uploads: [], error, destinations: blocked, retention: [] };
  }
  const destinations = await deployAll(one);
  return { ...head, state: 'UPLOADED', uploads, destinations, retention: await prune(one, destinations) };
}

async function prune(
  { artifact, account, context }: AccountRun,
  reports: readonly DestinationReport[],
): Promise<Pruned[]> {
  if (!reports.every(({ state }) => state === 'DEPLOYED')) return [];
  const { application, name } = artifact;
  const rules = retentionRules(account.destinations.map(({ destination }) => destination));
  try {
    return await pruneArtifacts(account.api, { application, rules, dryRun: false, keep: name });
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    // The deployments are fine, and the next run prunes again.
    context.log.warning(`${account.account}: old versions were not pruned: ${messageOf(error)}`);
    return [];
  }
}
