import { isAbsolute, join, resolve } from 'node:path';
import { cacheRoot } from '../../cache/cache.ts';
import type { CacheLimits } from '../../cache/upkeep.ts';
import { UsageError } from '../../errors.ts';
import type { Context } from '../terminal/command.ts';
import { nonEmpty } from '../terminal/home.ts';
import { parseSize } from './size.ts';

/**
 * For commands that use no cache. A command line or a configuration that names the cache folder for
 * all commands works with them too. The help does not show it.
 */
export const UNUSED_CACHE_OPTIONS = {
  'cache-dir': { type: 'string', hidden: true, describe: 'Cache folder' },
} as const;

/** Percent of the disk that pruning leaves free by default, if the cache has enough old entries. */
const KEPT_FREE_PERCENT = 20;

/** How much of the disk the cache may take, as options say it. */
interface LimitFlags {
  size?: string | undefined;
  percent?: number | undefined;
}

/**
 * The limits that options say; a size wins over a percent. `option` is the beginning of their
 * names. Throws UsageError for an invalid value.
 */
export function cacheLimits({ size, percent = KEPT_FREE_PERCENT }: LimitFlags, option: string): CacheLimits {
  if (!(percent >= 0 && percent <= 100)) {
    throw new UsageError(`${option}-percent ${percent}: expected 0 to 100`, {
      hint: 'it is the part of the disk to keep free, like 20',
    });
  }
  const limitSize = size === undefined ? undefined : parseSize(size, `${option}-size`);
  return { limitSize, limitPercent: percent };
}

type Place = Pick<Context, 'environment' | 'folder' | 'home'>;

/**
 * The cache folder: the flag, else MENDER_HELPER_CACHE_DIR, else
 * `$XDG_CACHE_HOME/mender-docker-delta`, else `~/.cache/mender-docker-delta`.
 */
export function cacheFolder(flag: string | undefined, place: Place): string {
  const named = flag ?? nonEmpty(place.environment['MENDER_HELPER_CACHE_DIR']);
  if (named !== undefined) return resolve(place.folder, named);
  return join(userCache(place), 'mender-docker-delta');
}

function userCache({ environment, home }: Place): string {
  return nonEmpty(environment['XDG_CACHE_HOME']) ?? join(home, '.cache');
}

/**
 * The user's own folder for what no cache may hold: `$XDG_STATE_HOME/mender-docker-delta`, else
 * below `~/.local/state`. https://specifications.freedesktop.org/basedir-spec/latest/
 */
export function stateFolder({ environment, home }: Pick<Context, 'environment' | 'home'>): string {
  const named = environment['XDG_STATE_HOME'] ?? '';
  const state = isAbsolute(named) ? named : join(home, '.local', 'state');
  return join(state, 'mender-docker-delta');
}

/** Where mender-docker-lifecycle-helper keeps its cache. */
export function helperCaches(place: Place): string[] {
  const named = nonEmpty(place.environment['MENDER_HELPER_CACHE_DIR']);
  const usual = join(userCache(place), 'mender-docker-lifecycle-helper');
  return named === undefined ? [usual] : [resolve(place.folder, named), usual];
}

/** The part of that folder that this version of the tool writes to. */
export function cacheOf(flag: string | undefined, place: Place): { root: string } {
  return { root: cacheRoot(cacheFolder(flag, place)) };
}
