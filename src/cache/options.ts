import type { Effects } from '../io/effects.ts';
import type { SharedCache } from './shared/sharedCache.ts';

/** What a cache is opened with. */
export interface CacheOptions extends Effects {
  /** Bytes that one uncompressed layer may have. */
  largestLayer: number;
  /**
   * Cache folders of mender-docker-lifecycle-helper. They are asked for a last artifact that this
   * cache does not know.
   */
  helperFolders: readonly string[];
  /**
   * Absolute path of a folder of the user's own. Notes that no document proves are there, because
   * CI systems share the cache between jobs.
   */
  ownFolder: string;
  /** What is shared with other machines. */
  shared?: SharedCache | undefined;
}
