import { UsageError } from '../../errors.ts';
import type { AttributeName } from '../../server/inventory.ts';
import { softwareNameOf, versionKey } from '../../mender/write/header.ts';
import { MODULES } from '../../mender/spec.ts';

/** The key under which most devices report the version of an application, one for each module. */
function usualKeys(application: string): string[] {
  return MODULES.map((module) => versionKey('rootfs-image', softwareNameOf(module, application)));
}

/**
 * The keys under which devices may report the version of an application: the usual ones, and those
 * among the attributes of the fleet. Without an application, the keys of all applications. Pure.
 */
export function candidateKeys(application: string | undefined, known: readonly AttributeName[]): string[] {
  const names = known.filter(({ scope }) => scope === 'inventory').map(({ attribute }) => attribute);
  if (application === undefined) return names.filter((name) => /^.+\..+\.version$/.test(name)).sort();
  const own = names.filter((name) => name.endsWith(`.${application}.version`));
  return [...new Set([...usualKeys(application), ...own])].sort();
}

/**
 * The only key of these that is in use. Undefined if no key is. Throws UsageError if several are:
 * those are several applications of one name. Pure.
 */
export function onlyKey(application: string, counts: ReadonlyMap<string, number>): string | undefined {
  const used = [...counts].filter(([, count]) => count > 0).sort(([a], [b]) => (a < b ? -1 : 1));
  if (used.length <= 1) return used[0]?.[0];
  const found = used.map(([key, count]) => `${key} (${count} devices)`).join(', ');
  throw new UsageError(`several applications have the name ${application}: devices report ${found}`, {
    hint: `choose one: --version-key ${used[0]?.[0] ?? ''}`,
  });
}
