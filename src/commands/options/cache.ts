import { SHARED_CACHE_OPTIONS } from './sharedCache.ts';

const CACHE = 'The cache:';

/** What a build takes from the cache, and how much it leaves there. */
export const BUILD_CACHE_OPTIONS = {
  cache: {
    group: CACHE,
    type: 'boolean',
    describe: 'Build against what the last delivery of this machine left in the cache',
    defaultDescription: 'true',
  },
  'cache-limit': {
    group: CACHE,
    type: 'boolean',
    describe: 'Remove old entries of the cache after a run (--no-cache-limit: keep all)',
    defaultDescription: 'true',
  },
  'cache-limit-percent': {
    group: CACHE,
    type: 'number',
    describe: 'Percent of the disk that the cache leaves free',
    defaultDescription: '20',
  },
  'cache-limit-size': {
    group: CACHE,
    type: 'string',
    describe: 'What the cache may hold, like 20G; wins over the percent',
  },
  'cache-dir': {
    group: CACHE,
    type: 'string',
    describe: 'Cache folder',
    defaultDescription: '$XDG_CACHE_HOME/mender-docker-delta',
  },
  ...SHARED_CACHE_OPTIONS,
} as const;
