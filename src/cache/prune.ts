import { statfs } from 'node:fs/promises';
import type { CacheEntry } from './entries.ts';

/** How large the cache may be. A size wins over a percentage. */
export interface CacheLimits {
  /** Bytes that the cache may hold. */
  limitSize?: number | undefined;
  /** Percent of the disk to keep free. */
  limitPercent: number;
}

export interface Disk {
  /** Bytes. */
  total: number;
  free: number;
}

/** An entry that was used within this time is never deleted, because a run may be about to read it. */
export const IN_USE_MS = 3_600_000;

/**
 * Chooses the entries to delete so that the cache meets its limits, least recently used first. `now`: milliseconds since
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

/** Returns the size and the free bytes of the disk that holds `path`. */
export async function diskOf(path: string): Promise<Disk> {
  const { bsize, blocks, bavail } = await statfs(path);
  return { total: bsize * blocks, free: bsize * bavail };
}
