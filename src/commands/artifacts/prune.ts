import { amountOf } from '../../io/amounts.ts';
import type { RetentionRule } from '../../destinations/retention.ts';
import { UsageError } from '../../errors.ts';
import type { MapPrune, PrunedOfAccount } from '../../pipeline/destinations/prune.ts';
import { pruneByMap } from '../../pipeline/destinations/prune.ts';
import { WOULD_BE_DELETED, pruneArtifacts } from '../../pipeline/release/retention.ts';
import type { ArtifactsFlags } from '../options/artifacts.ts';
import { wantsDestinations } from '../options/destinations.ts';
import { mapChoice, openMapContext } from '../open/mapContext.ts';
import { openServer } from '../options/server.ts';
import type { Context } from '../terminal/command.ts';
import { confirm } from '../terminal/confirm.ts';
import { formatList } from '../terminal/format.ts';

/**
 * `artifacts prune APPLICATION`: deletes the versions that the options do not keep, on the server
 * of the options, or those that the map's rules do not keep, on the servers of the map's accounts.
 */
export async function runPrune(flags: ArtifactsFlags, context: Context): Promise<void> {
  const [application, ...more] = flags.artifact ?? [];
  if (application === undefined || more.length > 0) {
    throw new UsageError('artifacts prune: expected the name of one application', {
      hint: 'look first: mender-docker-delta artifacts prune gateway --restrict-major 2 --dry-run',
    });
  }
  const request = { application, rule: ruleOfFlags(flags), dryRun: flags.dryRun ?? false };
  const prune = async (dryRun: boolean): Promise<PrunedOfAccount[]> =>
    wantsDestinations(flags)
      ? pruneByMap({ ...request, dryRun, choice: mapChoice(flags) }, await openMapContext(flags, context))
      : pruneServer({ ...request, dryRun }, flags, context);
  if (!request.dryRun && flags.yes !== true && process.stdin.isTTY)
    await confirmPrune(await prune(true), context);
  const pruned = await prune(request.dryRun);
  context.report(pruned, prunedText(pruned));
}

/** Shows what would be deleted and asks. Throws UsageError unless the answer is yes. */
async function confirmPrune(trial: readonly PrunedOfAccount[], { log }: Context): Promise<void> {
  const count = trial.filter(({ reason }) => reason === WOULD_BE_DELETED).length;
  if (count === 0) return;
  log.info(prunedText(trial));
  await confirm(`Delete ${amountOf(count, 'artifact')}?`, 'answer yes, or give --yes');
}

async function pruneServer(
  { application, rule = { majors: null, minors: null }, dryRun }: Omit<MapPrune, 'choice'>,
  flags: ArtifactsFlags,
  context: Context,
): Promise<PrunedOfAccount[]> {
  const api = await openServer(flags, context);
  const pruned = await pruneArtifacts(api, { application, rules: [rule], dryRun });
  return pruned.map((one) => ({ account: api.host, ...one }));
}

function ruleOfFlags({ restrictMajor, restrictMinor }: ArtifactsFlags): RetentionRule | undefined {
  for (const [name, value] of Object.entries({
    'restrict-major': restrictMajor,
    'restrict-minor': restrictMinor,
  })) {
    if (value !== undefined && !(Number.isInteger(value) && value >= 1)) {
      throw new UsageError(`--${name}: expected a whole number from 1, found ${value}`);
    }
  }
  if (restrictMajor === undefined && restrictMinor === undefined) return undefined;
  return { majors: restrictMajor ?? null, minors: restrictMinor ?? null };
}

function prunedText(results: readonly PrunedOfAccount[]): string {
  const rows = results.map((one) => [
    one.account,
    one.name,
    one.version,
    one.id,
    one.state,
    one.reason ?? '',
  ]);
  return formatList('nothing to prune', ['ACCOUNT', 'NAME', 'VERSION', 'ID', 'STATE', 'REASON'], rows);
}
