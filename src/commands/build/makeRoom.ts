import type { Cache } from '../../cache/cache.ts';
import type { CacheLimits } from '../../cache/upkeep.ts';
import { messageOf } from '../../errors.ts';
import type { Log } from '../../io/log.ts';
import type { BUILD_CACHE_OPTIONS } from '../options/cache.ts';
import { cacheLimits } from '../options/cacheFolder.ts';
import type { FlagsOf } from '../terminal/command.ts';

/** The limits of the cache after the run; undefined to keep all. Throws UsageError. */
export function cacheLimitsOf({
  cacheLimit,
  cacheLimitSize,
  cacheLimitPercent,
}: FlagsOf<typeof BUILD_CACHE_OPTIONS>): CacheLimits | undefined {
  const limits = cacheLimits({ size: cacheLimitSize, percent: cacheLimitPercent }, '--cache-limit');
  return cacheLimit === false ? undefined : limits;
}

/**
 * Removes old entries of the cache, as the limits say. Only warns if an entry can't be removed,
 * because the build itself is done.
 */
export async function makeRoom(
  { cache, log }: { cache: Pick<Cache, 'root' | 'upkeep'>; log: Log },
  limits: CacheLimits | undefined,
): Promise<void> {
  if (limits === undefined) return;
  await cache.upkeep.prune(limits).catch((error: unknown) => {
    log.warning(`removing old entries of the cache ${cache.root}: ${messageOf(error)}`);
  });
}
