import { readFile } from 'node:fs/promises';
import { systemCodeOf } from '../errors.ts';
import { fileError } from '../io/files.ts';
import type { Digest } from '../oci/digest.ts';
import { digestOf } from '../oci/digest.ts';
import type { CacheLayout } from './layout.ts';

/** The image configs of a cache, by config digest. */
export class ConfigStore {
  readonly #layout: CacheLayout;

  constructor(layout: CacheLayout) {
    this.#layout = layout;
  }

  /** Returns the config's exact bytes, or undefined if the cache does not hold it, or holds it damaged. */
  async find(configDigest: Digest): Promise<Buffer | undefined> {
    const path = this.#layout.config(configDigest);
    try {
      const bytes = await readFile(path);
      return digestOf(bytes) === configDigest ? bytes : undefined;
    } catch (error) {
      if (systemCodeOf(error) === 'ENOENT') return undefined;
      throw fileError(error, `reading ${path}`);
    }
  }
}
