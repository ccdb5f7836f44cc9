import type { Effects } from '../../io/effects.ts';
import { mapLimited } from '../../io/pool.ts';
import { withStep } from '../../io/progress.ts';
import type { EntryShelf, ListedEntry } from '../../oci/entryStore.ts';
import type { ShelfLimits } from './chooseExpired.ts';
import { chooseExpired, sizeOfAll } from './chooseExpired.ts';

/** How many entries, and their bytes. */
export interface EntryAmount {
  entries: number;
  bytes: number;
}

/** What pruning found and did. */
export interface PrunedShelf {
  found: EntryAmount;
  /** What this run has deleted; with `dryRun`, what it would delete. */
  deleted: EntryAmount;
  remaining: EntryAmount;
  /** Those of the remaining ones that can't be deleted alone. */
  shared: EntryAmount;
}

/** Requests at the same time. */
const MOST_DELETIONS = 8;

/**
 * Deletes the entries that exceed the limits, oldest first, and what killed writers left. Returns
 * undefined if there is no such place. Throws what listing and deleting throw.
 */
export async function pruneShelf(
  shelf: EntryShelf,
  { dryRun, ...limits }: ShelfLimits & { dryRun: boolean },
  { progress, signal }: Pick<Effects, 'progress' | 'signal'>,
): Promise<PrunedShelf | undefined> {
  const entries = await withStep(progress, `listing ${shelf.place}`, () => shelf.list());
  if (entries === undefined) return undefined;
  const chosen = chooseExpired(entries, limits, Date.now());
  const remove = async (entry: ListedEntry): Promise<'deleted' | 'gone' | 'kept'> => {
    signal.throwIfAborted();
    return dryRun ? 'deleted' : shelf.delete(entry);
  };
  const outcomes = await withStep(progress, `deleting from ${shelf.place}`, () =>
    mapLimited(chosen, MOST_DELETIONS, remove),
  );
  if (!dryRun) await shelf.sweep?.();
  const deleted = chosen.filter((_, index) => outcomes[index] === 'deleted');
  const left = new Set(chosen.filter((_, index) => outcomes[index] !== 'kept'));
  const remaining = entries.filter((entry) => !left.has(entry));
  return {
    found: amountOf(entries),
    deleted: amountOf(deleted),
    remaining: amountOf(remaining),
    shared: amountOf(remaining.filter(({ isShared }) => isShared)),
  };
}

function amountOf(entries: readonly ListedEntry[]): EntryAmount {
  return { entries: entries.length, bytes: sizeOfAll(entries) };
}
