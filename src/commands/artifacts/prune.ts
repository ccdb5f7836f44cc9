import { retentionRules } from '../../destinations/plan.ts';
import { below } from '../../destinations/problems.ts';
import { resolveApplication } from '../../destinations/resolve.ts';
import type { RetentionRule } from '../../destinations/retention.ts';
import { UsageError } from '../../errors.ts';
import type { Pruned } from '../../pipeline/release/retention.ts';
import { pruneArtifacts } from '../../pipeline/release/retention.ts';
import type { Api } from '../../server/api.ts';
import type { ArtifactsFlags } from '../options/artifacts.ts';
import type { Context } from '../terminal/command.ts';
import { wantsDestinations } from '../options/destinations.ts';
import { accountsOf, mapChoice, openMapsOf } from '../options/mapContext.ts';
import { formatTable } from '../terminal/format.ts';
import { openServer } from '../options/server.ts';

interface Place {
  account: string;
  api: Api;
  rules: RetentionRule[];
}

/**
 * `artifacts prune APPLICATION`: deletes the versions that the options do not keep, on the server
 * of the options, or those that the map's rules do not keep, on the servers of the map's accounts.
 */
export async function runPrune(flags: ArtifactsFlags, context: Context): Promise<void> {
  const [application, ...more] = flags.artifact ?? [];
  if (application === undefined || more.length > 0) {
    throw new UsageError('artifacts prune: expected the name of one application', {
      hint: 'look first: artifacts prune gateway --restrict-major 2 --dry-run',
    });
  }
  const isByMap = wantsDestinations(flags);
  const places = isByMap
    ? await placesOfMap(application, flags, context)
    : [await placeOfFlags(flags, context)];
  const results: (Pruned & { account: string })[] = [];
  for (const { account, api, rules } of places) {
    if (rules.length === 0)
      context.log.info(`${account}: nothing is pruned, since a destination keeps all versions`);
    const pruned = await pruneArtifacts(api, { application, rules, dryRun: flags.dryRun ?? false });
    results.push(...pruned.map((one) => ({ account, ...one })));
  }
  context.report(results, prunedText(results));
}

async function placeOfFlags(flags: ArtifactsFlags, context: Context): Promise<Place> {
  const rule = ruleOfFlags(flags) ?? { majors: null, minors: null };
  const api = await openServer(flags, context);
  return { account: api.host, api, rules: [rule] };
}

/** The options win over the map. */
async function placesOfMap(application: string, flags: ArtifactsFlags, context: Context): Promise<Place[]> {
  const { entry, path } = await resolveApplication(
    await openMapsOf(flags, context),
    { name: application },
    mapChoice(flags),
    context.log,
  );
  const accounts = await accountsOf(flags, context);
  const given = ruleOfFlags(flags);
  const places: Place[] = [];
  for (const [account, { destinations }] of Object.entries(entry.accounts)) {
    if (flags.account !== undefined && !flags.account.includes(account)) continue;
    const api = await accounts.open(account, below(`${path}.mappings`, account));
    places.push({ account, api, rules: given === undefined ? retentionRules(destinations) : [given] });
  }
  return places;
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

function prunedText(results: readonly (Pruned & { account: string })[]): string {
  if (results.length === 0) return 'nothing to prune';
  const rows = results.map((one) => [
    one.account,
    one.name,
    one.version,
    one.id,
    one.state,
    one.reason ?? '',
  ]);
  return formatTable(['ACCOUNT', 'NAME', 'VERSION', 'ID', 'STATE', 'REASON'], rows);
}
