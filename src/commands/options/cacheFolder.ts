import { join, resolve } from 'node:path';
import type { CacheLayout } from '../../cache/layout.ts';
import { cacheLayout } from '../../cache/layout.ts';
import { homeFolder, nonEmpty } from '../terminal/home.ts';

/** Of commands that keep a note of what they upload. */
export const CACHE_OPTIONS = {
  'cache-dir': {
    type: 'string',
    requiresArg: true,
    describe: 'Cache folder, where uploads that were cut off are noted',
    defaultDescription: '$XDG_CACHE_HOME/mender-docker-delta',
  },
} as const;

/** Percent of the disk that is left free by default, as far as the cache's older entries allow. */
export const KEPT_FREE_PERCENT = 20;

type Environment = Readonly<Record<string, string | undefined>>;

/** The cache folder: the flag's, MENDER_HELPER_CACHE_DIR, `$XDG_CACHE_HOME/mender-docker-delta`, `~/.cache/mender-docker-delta`. */
export function cacheFolder(flag: string | undefined, environment: Environment): string {
  const named = flag ?? nonEmpty(environment['MENDER_HELPER_CACHE_DIR']);
  if (named !== undefined) return resolve(named);
  return join(userCache(environment), 'mender-docker-delta');
}

function userCache(environment: Environment): string {
  return nonEmpty(environment['XDG_CACHE_HOME']) ?? join(homeFolder(environment), '.cache');
}

/** Where mender-docker-lifecycle-helper keeps its cache. */
export function helperCaches(environment: Environment): string[] {
  const named = nonEmpty(environment['MENDER_HELPER_CACHE_DIR']);
  const usual = join(userCache(environment), 'mender-docker-lifecycle-helper');
  return named === undefined ? [usual] : [resolve(named), usual];
}

/** The layout of that folder. */
export function cacheOf(flag: string | undefined, environment: Environment): CacheLayout {
  return cacheLayout(cacheFolder(flag, environment));
}
