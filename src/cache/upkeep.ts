import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { diskOf } from '../io/files.ts';
import type { Disk } from '../io/files.ts';
import type { CacheEntry } from './entries.ts';
import {
  deleteEntry,
  deleteLeftovers,
  deleteOldLibraryNotes,
  isWhole,
  listDownloads,
  listEntries,
} from './entries.ts';
import { writeDocument } from './documents.ts';
import type { ImageNotes } from './images.ts';
import type { CacheLayout } from './layout.ts';
import type { CacheOptions } from './options.ts';

/** How large the cache may be. A size wins over a percentage. */
export interface CacheLimits {
  /** Bytes that the cache may hold. */
  limitSize?: number | undefined;
  /** Percent of the disk to keep free. */
  limitPercent: number;
}

/**
 * An entry that was used within this time is never deleted, because a run may be about to read it.
 */
export const IN_USE_MS = 3_600_000;

/** Notes of library files of old releases only take up room. */
const OLD_NOTE_MS = 90 * 24 * 3_600_000;

type UpkeepOptions = Pick<CacheOptions, 'progress' | 'signal' | 'helperFolders'>;

/** What people do with a cache as a whole. */
export class CacheUpkeep {
  readonly #layout: CacheLayout;
  readonly #images: ImageNotes;
  readonly #options: UpkeepOptions;

  constructor(layout: CacheLayout, images: ImageNotes, options: UpkeepOptions) {
    this.#layout = layout;
    this.#images = images;
    this.#options = options;
  }

  /** Lists all layers, configs and deltas. */
  list(): Promise<CacheEntry[]> {
    return listEntries(this.#layout);
  }

  /**
   * Deletes the least recently used entries until the cache meets its limits, and what killed runs
   * left behind, and notes of library files that are 90 days old. Returns the deleted entries.
   * Entries that were used within the last hour stay.
   */
  async prune(limits: CacheLimits): Promise<CacheEntry[]> {
    await deleteLeftovers(this.#layout, IN_USE_MS);
    await deleteOldLibraryNotes(this.#layout, OLD_NOTE_MS);
    const entries = await this.list();
    if (entries.length === 0) return [];
    const chosen = choosePruned(entries, limits, await diskOf(this.#layout.root), Date.now());
    for (const entry of chosen) await deleteEntry(entry);
    return chosen;
  }

  /** Reads everything, deletes what is damaged or was changed, and returns it. */
  async deleteDamaged(): Promise<CacheEntry[]> {
    const { progress, signal } = this.#options;
    const entries = [...(await this.list()), ...(await listDownloads(this.#layout))];
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
    const notes = await this.#images.deleteChanged();
    return [...damaged, ...notes.map(noteEntry)];
  }

  /**
   * Deletes everything of this layout version. Returns the deleted entries. Afterwards the last
   * artifact that mender-docker-lifecycle-helper remembers does not count either.
   */
  async clear(): Promise<CacheEntry[]> {
    const entries = await this.list();
    await rm(this.#layout.root, { recursive: true, force: true });
    if (await this.#hasHelperNotes()) await writeDocument(this.#layout.helperForgotten, {});
    return entries;
  }

  /** They are older than what was cleared, and must not become the next base. */
  async #hasHelperNotes(): Promise<boolean> {
    const found = await Promise.all(
      this.#options.helperFolders.map((folder) => stat(join(folder, 'manifests')).catch(() => undefined)),
    );
    return found.some((one) => one !== undefined);
  }
}

function noteEntry(path: string): CacheEntry {
  return { kind: 'image', path, size: 0, used: Date.now() };
}

/**
 * Chooses the entries to delete so that the cache meets its limits, least recently used first.
 * `now`: milliseconds since
 * 1970. Pure.
 */
export function choosePruned(
  entries: readonly CacheEntry[],
  limits: CacheLimits,
  disk: Disk,
  now: number,
): CacheEntry[] {
  let excess = excessBytes(entries, limits, disk);
  const removable = entries.filter(({ used }) => now - used > IN_USE_MS).sort((a, b) => a.used - b.used);
  return removable.filter(({ size }) => {
    if (excess <= 0) return false;
    excess -= size;
    return true;
  });
}

function excessBytes(entries: readonly CacheEntry[], limits: CacheLimits, disk: Disk): number {
  const held = entries.reduce((sum, { size }) => sum + size, 0);
  if (limits.limitSize !== undefined) return held - limits.limitSize;
  return Math.ceil((disk.total * limits.limitPercent) / 100) - disk.free;
}
