import { join } from 'node:path';
import type { Cache } from '../../src/cache/cache.ts';
import { openCache } from '../../src/cache/cache.ts';
import type { CacheLayout } from '../../src/cache/layout.ts';
import { cacheLayout } from '../../src/cache/layout.ts';
import type { CacheOptions } from '../../src/cache/options.ts';
import { silentLog } from '../../src/io/log.ts';
import { noProgress } from '../../src/io/progress.ts';
import { temporaryFolder } from './temporary.ts';

/** A cache in a new folder, or the one in `folder`, with its paths. */
export function testCache(
  options: Partial<CacheOptions> = {},
  folder = temporaryFolder(),
): Cache & { paths: CacheLayout } {
  const cache = openCache(folder, {
    largestLayer: 64 << 20,
    helperFolders: [],
    ownFolder: join(folder, 'own'),
    log: silentLog,
    progress: noProgress,
    signal: new AbortController().signal,
    ...options,
  });
  return Object.assign(cache, { paths: cacheLayout(folder, join(folder, 'own')) });
}
