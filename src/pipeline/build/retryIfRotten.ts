import type { Cache } from '../../cache/cache.ts';
import { IntegrityError, systemCodeOf } from '../../errors.ts';
import type { Digest } from '../../oci/digest.ts';

/**
 * Returns the result of `build`. If that fails because a layer in the cache has rotted, deletes the
 * layer and calls `build` once more, which fetches it again. Another build may have deleted the
 * layer first. `diffIDs`: the layers that `build` may read.
 */
export async function retryIfRotten<T>(
  build: () => Promise<T>,
  diffIDs: readonly Digest[],
  layers: Cache['layers'],
): Promise<T> {
  const before = await layers.damagesOf(diffIDs);
  try {
    return await build();
  } catch (error) {
    if (!(error instanceof IntegrityError) && systemCodeOf(error) !== 'ENOENT') throw error;
    const hasRemoved = await layers.removeDamaged(diffIDs);
    if (!hasRemoved && !(await haveChanged(before, layers))) throw error;
    return build();
  }
}

async function haveChanged(before: ReadonlyMap<Digest, number>, layers: Cache['layers']): Promise<boolean> {
  const now = await layers.damagesOf(before.keys());
  return [...before].some(([diffID, damages]) => now.get(diffID) !== damages);
}
