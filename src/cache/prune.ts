import { statfs } from 'node:fs/promises';
import type { CacheEntry } from './entries.ts';
import { listEntries, removeEntry, removeLeftovers } from './entries.ts';
import type { CacheLayout } from './layout.ts';

/** How large the cache may be; a size wins over a percentage. */
export interface CacheLimits {
  /** Bytes that the cache may hold. */
  limitSize?: number;
  /** Percent of the disk to be kept free. */
  limitPercent: number;
}

export interface Disk {
  /** Bytes. */
  total: number;
  free: number;
}

/** What was used more recently than this is never removed: a run may be about to read it. */
export const IN_USE_MS = 3_600_000;

/** The entries to remove, least recently used first, so that the limits are met; pure. `now` in milliseconds since 1970. */
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

/** Brings the cache within its limits; returns what was removed. Entries used within the last hour stay. */
export async function pruneCache(layout: CacheLayout, limits: CacheLimits): Promise<CacheEntry[]> {
  await removeLeftovers(layout, IN_USE_MS);
  const entries = await listEntries(layout);
  if (entries.length === 0) return [];
  const removed = choosePruned(entries, limits, await diskOf(layout.root), Date.now());
  for (const entry of removed) await removeEntry(entry);
  return removed;
}

async function diskOf(path: string): Promise<Disk> {
  const { bsize, blocks, bavail } = await statfs(path);
  return { total: bsize * blocks, free: bsize * bavail };
}
