import { rm } from 'node:fs/promises';
import { sizeOfOwnFile } from '../io/files.ts';
import { digestOfFile } from '../io/verify.ts';
import type { Digest } from '../oci/digest.ts';
import { touch } from './documents.ts';
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
   * is missing. Its bytes are read, and others than the digest says are deleted: any process that
   * writes to the cache can put them there. A file that is used again counts as new for pruning.
   */
  async ensure(digest: Digest, download: (path: string) => Promise<void>): Promise<string> {
    const path = this.#layout.download(digest);
    const downloadIfMissing = async (): Promise<void> => {
      if (await holds(path, digest)) return touch(path);
      await rm(path, { recursive: true, force: true });
      await download(path);
    };
    await withLock(path, downloadIfMissing, this.#options);
    return path;
  }

  async delete(digest: Digest): Promise<void> {
    await rm(this.#layout.download(digest), { force: true });
  }
}

async function holds(path: string, digest: Digest): Promise<boolean> {
  return (await sizeOfOwnFile(path)) !== undefined && (await digestOfFile(path)).digest === digest;
}
