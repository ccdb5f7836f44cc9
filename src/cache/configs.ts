import { readFile } from 'node:fs/promises';
import { systemCodeOf } from '../errors.ts';
import { fileError } from '../io/files.ts';
import type { Digest } from '../oci/digest.ts';
import { digestOf } from '../oci/digest.ts';
import type { CacheLayout } from './layout.ts';

/** The config's exact bytes; undefined if the cache does not hold them whole. */
export async function findConfig(layout: CacheLayout, configDigest: Digest): Promise<Buffer | undefined> {
  try {
    const bytes = await readFile(layout.config(configDigest));
    return digestOf(bytes) === configDigest ? bytes : undefined;
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return undefined;
    throw fileError(error, `reading ${layout.config(configDigest)}`);
  }
}
