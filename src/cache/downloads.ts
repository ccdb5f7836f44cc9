import { rm } from 'node:fs/promises';
import type { Digest } from '../oci/digest.ts';
import { sizeOfOwnFile } from './files.ts';
import type { CacheLayout } from './layout.ts';
import { withLock } from './lock.ts';
import type { CacheOptions } from './options.ts';

/**
 * Downloaded files: those of container libraries until their layers are in the cache, and the
 * artifacts of `oci://` bases until pruning.
 */
export class Downloads {
  readonly #layout: CacheLayout;
  readonly #options: Pick<CacheOptions, 'signal' | 'log'>;

  constructor(layout: CacheLayout, options: Pick<CacheOptions, 'signal' | 'log'>) {
    this.#layout = layout;
    this.#options = options;
  }

  /**
   * Returns the path of the file with this digest, and lets `download` write it there first if it
   * is missing.
   */
  async ensure(digest: Digest, download: (path: string) => Promise<void>): Promise<string> {
    const path = this.#layout.download(digest);
    const downloadIfMissing = async (): Promise<void> => {
      if ((await sizeOfOwnFile(path)) === undefined) await download(path);
    };
    await withLock(path, downloadIfMissing, this.#options);
    return path;
  }

  async delete(digest: Digest): Promise<void> {
    await rm(this.#layout.download(digest), { force: true });
  }
}
