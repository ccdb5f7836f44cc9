import { retentionRules } from '../../destinations/plan.ts';
import { below } from '../../destinations/problems.ts';
import type { MapChoice } from '../../destinations/resolve.ts';
import { listSiblings, resolveApplication } from '../../destinations/resolve.ts';
import type { RetentionRule } from '../../destinations/retention.ts';
import type { Api } from '../../server/api.ts';
import type { Pruned } from '../release/retention.ts';
import { pruneArtifacts } from '../release/retention.ts';
import type { MapContext } from './types.ts';

export interface MapPrune {
  application: string;
  choice: MapChoice;
  /** It wins over the rules of the map. */
  rule?: RetentionRule | undefined;
  /** Deletes nothing. */
  dryRun: boolean;
}

/** An artifact that the rules do not keep, and the account that it is in. */
export type PrunedOfAccount = Pruned & { account: string };

/**
 * Deletes the versions of an application that the map's rules do not keep, in all its accounts. All
 * accounts are opened before the first artifact is deleted: throws NotFoundError, UsageError and
 * DeniedError for unknown applications, invalid maps and missing tokens.
 */
export async function pruneByMap(
  { application, choice, rule, dryRun }: MapPrune,
  { maps, accounts, log }: Pick<MapContext, 'maps' | 'accounts' | 'log'>,
): Promise<PrunedOfAccount[]> {
  const { entry, path } = await resolveApplication(maps, { name: application }, choice, log);
  const chosen = Object.keys(entry.accounts).filter((name) => choice.accounts?.includes(name) ?? true);
  const siblings = rule === undefined ? await listSiblings(entry, maps) : [];
  const opened: { account: string; api: Api; rules: RetentionRule[] }[] = [];
  for (const account of chosen) {
    const api = await accounts.open(account, below(`${path}.mappings`, account));
    opened.push({ account, api, rules: rule === undefined ? retentionRules(siblings, account) : [rule] });
  }
  const pruned: PrunedOfAccount[] = [];
  for (const { account, api, rules } of opened) {
    if (rules.length === 0) {
      log.info(`${account}: nothing is pruned, since a destination keeps all versions`);
    }
    const results = await pruneArtifacts(api, { application, rules, dryRun });
    for (const one of results) pruned.push({ account, ...one });
  }
  return pruned;
}
