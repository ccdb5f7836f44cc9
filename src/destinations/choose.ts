import { parsePlatform } from '../oci/platform.ts';
import type { Account, Destination, Entry } from './model.ts';

/** The destinations whose architecture is that of the artifact or empty. */
export function fittingDestinations(
  destinations: readonly Destination[],
  architecture: string | undefined,
): Destination[] {
  const own = architecture === undefined ? undefined : architectureName(architecture);
  return destinations.filter((one) => {
    return one.architecture === null || one.architecture === '' || architectureName(one.architecture) === own;
  });
}

/** `aarch64`, `x86_64` and other spellings as images call them. Other texts stay as they are. */
function architectureName(text: string): string {
  try {
    return parsePlatform(`linux/${text}`).architecture;
  } catch {
    return text;
  }
}

/** The accounts with the destinations that fit an architecture; those without any are left out. */
export function fittingAccounts(
  { accounts }: Pick<Entry, 'accounts'>,
  architecture: string | undefined,
): Record<string, Account> {
  const fitting = Object.entries(accounts).map(([name, account]) => {
    return [
      name,
      { ...account, destinations: fittingDestinations(account.destinations, architecture) },
    ] as const;
  });
  return Object.fromEntries(fitting.filter(([, { destinations }]) => destinations.length > 0));
}

/** The tags of all the destinations together; of two values for one name the later one holds. */
export function tagsOf(destinations: readonly Pick<Destination, 'tags'>[]): Record<string, string> {
  return Object.assign({}, ...destinations.map(({ tags }) => tags ?? {})) as Record<string, string>;
}

/** Tags as a Mender release has them: `name-value`, or the name alone where the value is empty. */
export function releaseTags(destinations: readonly Pick<Destination, 'tags'>[]): string[] {
  return Object.entries(tagsOf(destinations)).map(([name, value]) =>
    value === '' ? name : `${name}-${value}`,
  );
}
