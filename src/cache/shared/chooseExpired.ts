import type { ListedEntry } from '../../oci/entryStore.ts';
import { ageOf } from './age.ts';

/** What a shared cache may keep. */
export interface ShelfLimits {
  /** Milliseconds. Older entries go. */
  olderThan?: number | undefined;
  /** Bytes. The oldest entries go until the others have no more than that. */
  limitSize?: number | undefined;
}

/**
 * Chooses the entries to delete, oldest first. An entry without a date counts as the oldest, and
 * one that shares its id stays. `now`: milliseconds since 1970. Pure.
 */
export function chooseExpired(
  entries: readonly ListedEntry[],
  { olderThan = Infinity, limitSize = Infinity }: ShelfLimits,
  now: number,
): ListedEntry[] {
  const aged = entries
    .filter(({ isShared }) => !isShared)
    .map((entry) => ({ entry, age: ageOf(entry.stored, now) }));
  aged.sort(
    (one, other) => compareAges(one.age, other.age) || compareNames(one.entry.name, other.entry.name),
  );
  let excess = sizeOfAll(entries) - limitSize;
  return aged.flatMap(({ entry, age }) => {
    const isTooOld = age > olderThan;
    if (!isTooOld && excess <= 0) return [];
    excess -= entry.size;
    return [entry];
  });
}

/** Returns the bytes of all entries. Pure. */
export function sizeOfAll(entries: readonly ListedEntry[]): number {
  return entries.reduce((sum, { size }) => sum + size, 0);
}

function compareAges(one: number, other: number): number {
  return one === other ? 0 : other - one;
}

function compareNames(one: string, other: string): number {
  return one < other ? -1 : 1;
}
