import type { Digest } from '../oci/digest.ts';
import { readOwnBytes } from './files.ts';
import type { CacheLayout } from './layout.ts';

/** The image configs of a cache, by config digest. */
export class ConfigStore {
  readonly #layout: CacheLayout;

  constructor(layout: CacheLayout) {
    this.#layout = layout;
  }

  /**
   * Returns the config's exact bytes, or undefined if the cache does not hold it, or holds it
   * damaged.
   */
  find(configDigest: Digest): Promise<Buffer | undefined> {
    return readOwnBytes(this.#layout.config(configDigest), configDigest);
  }
}
