import { retentionRules } from '../../destinations/plan.ts';
import { UserError, messageOf } from '../../errors.ts';
import { mapLimited } from '../../io/pool.ts';
import { attempt, deployAll, reportOf } from './deploy.ts';
import type { AccountReport, DestinationReport, DestineContext, DestineRequest, Destined } from './types.ts';
import type { AccountRun } from './deploy.ts';
import { uploadToAccount } from './upload.ts';
import { pruneArtifacts } from '../release/retention.ts';
import type { Pruned } from '../release/retention.ts';

/** Accounts at a time. */
const AT_ONCE = 8;

/**
 * Uploads an artifact to every account, in parallel, deploys it to the destinations of each, waits for all, and prunes old
 * versions where the map says so and all went well. A failure ends only what depends on it; an
 * interruption ends all, and is among the failures.
 */
export async function destine(request: DestineRequest, context: DestineContext): Promise<Destined> {
  const results = await mapLimited(request.accounts, AT_ONCE, async (account) => {
    const one: AccountRun = { request, account, context, failures: [] };
    return { report: await runAccount(one), failures: one.failures };
  });
  return {
    accounts: results.map(({ report }) => report),
    failures: results.flatMap(({ failures }) => failures),
  };
}

async function runAccount(one: AccountRun): Promise<AccountReport> {
  const { request, account, context } = one;
  const { api, provider } = account;
  const head = { account: account.account, host: api.host, provider };
  const uploads = await attempt(one, () => {
    const { cache, log, progress, pauseMs } = context;
    const upload = { api, cache, log, progress, ...(pauseMs === undefined ? {} : { pauseMs }) };
    return uploadToAccount(request.artifact, account, request.direct, upload);
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
  { request, account, context }: AccountRun,
  reports: readonly DestinationReport[],
): Promise<Pruned[]> {
  if (!reports.every(({ state }) => state === 'DEPLOYED')) return [];
  const { application, name } = request.artifact;
  const rules = retentionRules(account.destinations.map(({ destination }) => destination));
  try {
    return await pruneArtifacts(account.api, { application, rules, dryRun: false, keep: name });
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    // What was deployed is deployed; the next run prunes again.
    context.log.warning(`${account.account}: old versions were not pruned: ${messageOf(error)}`);
    return [];
  }
}
