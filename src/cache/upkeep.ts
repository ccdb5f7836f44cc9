import { rm } from 'node:fs/promises';
import type { CacheEntry } from './entries.ts';
import { deleteEntry, deleteLeftovers, isWhole, listEntries } from './entries.ts';
import type { CacheLayout } from './layout.ts';
import type { CacheOptions } from './options.ts';
import type { CacheLimits } from './prune.ts';
import { IN_USE_MS, choosePruned, diskOf } from './prune.ts';

/** What people do with a cache as a whole. */
export class CacheUpkeep {
  readonly #layout: CacheLayout;
  readonly #options: Pick<CacheOptions, 'progress' | 'signal'>;

  constructor(layout: CacheLayout, options: Pick<CacheOptions, 'progress' | 'signal'>) {
    this.#layout = layout;
    this.#options = options;
  }

  /** Lists all layers, configs and deltas. */
  list(): Promise<CacheEntry[]> {
    return listEntries(this.#layout);
  }

  /**
   * Deletes the least recently used entries until the cache meets its limits, and what killed runs left behind. Returns the
   * deleted entries. Entries that were used within the last hour stay.
   */
  async prune(limits: CacheLimits): Promise<CacheEntry[]> {
    await deleteLeftovers(this.#layout, IN_USE_MS);
    const entries = await this.list();
    if (entries.length === 0) return [];
    const chosen = choosePruned(entries, limits, await diskOf(this.#layout.root), Date.now());
    for (const entry of chosen) await deleteEntry(entry);
    return chosen;
  }

  /** Reads everything, deletes the damaged entries, and returns them. */
  async deleteDamaged(): Promise<CacheEntry[]> {
    const { progress, signal } = this.#options;
    const entries = await this.list();
    const task = progress.start(
      'verifying',
      entries.reduce((sum, { size }) => sum + size, 0),
    );
    const damaged: CacheEntry[] = [];
    for (const entry of entries) {
      signal.throwIfAborted();
      if (!(await isWhole(entry))) damaged.push(entry);
      task.advance(entry.size);
    }
    task.end();
    for (const entry of damaged) await deleteEntry(entry);
    return damaged;
  }

  /** Deletes everything of this layout version. Returns the deleted entries. */
  async clear(): Promise<CacheEntry[]> {
    const entries = await this.list();
    await rm(this.#layout.root, { recursive: true, force: true });
    return entries;
  }
}
