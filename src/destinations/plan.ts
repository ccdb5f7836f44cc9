import { NotFoundError, UsageError } from '../errors.ts';
import { fittingAccounts, releaseTags } from './choose.ts';
import { below } from './problems.ts';
import type { Account, Destination, Entry } from './model.ts';
import type { Resolution } from './resolve.ts';
import type { RetentionRule } from './retention.ts';
import type { DeploySettings } from './settings.ts';
import { fillSettings, settingsOf } from './settings.ts';

/** What one account, which is a server, is to get. */
export interface PlannedAccount {
  account: string;
  /** Its place in the map. */
  path: string;
  provider: string | null;
  /** True to replace a conflicting artifact, false to keep it. */
  overwrite: boolean;
  /** Tags of the release. */
  tags: string[];
  description?: string | undefined;
  destinations: PlannedDestination[];
}

export interface PlannedDestination {
  destination: Destination;
  settings: DeploySettings;
}

export interface Narrowing {
  /** Of the artifact; destinations for others are left out. Undefined leaves all in. */
  architecture?: string | undefined;
  /** Only these accounts. */
  accounts?: readonly string[] | undefined;
}

/**
 * Returns what every account gets. `own` settings win over those of the map. Throws NotFoundError
 * for accounts that the map does not have, UsageError with the path for meta and tags that can't be
 * used.
 */
export function planAccounts(
  { entry, path }: Pick<Resolution, 'entry' | 'path'>,
  { architecture, accounts: only = [] }: Narrowing,
  own: DeploySettings,
): PlannedAccount[] {
  const unknown = only.find((name) => !Object.hasOwn(entry.accounts, name));
  if (unknown !== undefined) {
    throw new NotFoundError(`${path}.mappings: there is no account ${unknown}`, {
      hint: `its accounts: ${Object.keys(entry.accounts).join(', ')}`,
    });
  }
  const fitting = architecture === undefined ? entry.accounts : fittingAccounts(entry, architecture);
  const chosen = Object.entries(fitting).filter(([name]) => only.length === 0 || only.includes(name));
  return chosen.map(([name, account]) => {
    return planAccount(name, account, entry.accounts[name] ?? account, below(`${path}.mappings`, name), own);
  });
}

function planAccount(
  name: string,
  account: Account,
  whole: Account,
  path: string,
  own: DeploySettings,
): PlannedAccount {
  const destinations = account.destinations.map((destination) => {
    const at = `${path}.destinations[${whole.destinations.indexOf(destination)}]`;
    refuseTags(destination, `${at}.tags`);
    return { destination, settings: fillSettings(own, settingsOf(destination.meta, `${at}.meta`)) };
  });
  return {
    account: name,
    path,
    provider: account.provider,
    overwrite: account.destinations.some(({ overwrite }) => overwrite),
    tags: releaseTags(account.destinations),
    description: destinations.find(({ settings }) => settings.description !== undefined)?.settings
      .description,
    destinations,
  };
}

/** True for what a Mender server takes as a tag. */
export function isTag(text: string): boolean {
  return /^[A-Za-z0-9_.-]+$/.test(text);
}

function refuseTags(destination: Destination, path: string): void {
  const wrong = releaseTags([destination]).find((tag) => !isTag(tag));
  if (wrong === undefined) return;
  throw new UsageError(
    `${path}: tag ${JSON.stringify(wrong)}: expected letters, digits, "_", "-" and "." only`,
  );
}

/**
 * Returns the rules of an account's destinations in all entries of an application, or none if one
 * of them restricts no versions: an artifact belongs to the whole server, so it is only removed if
 * no destination needs it.
 */
export function retentionRules(entries: readonly Entry[], account: string): RetentionRule[] {
  const destinations = entries.flatMap(({ accounts }) =>
    Object.hasOwn(accounts, account) ? (accounts[account]?.destinations ?? []) : [],
  );
  if (!destinations.every((one) => one.restrict_version)) return [];
  return destinations.map(({ restrict_major: majors, restrict_minor: minors }) => ({ majors, minors }));
}
