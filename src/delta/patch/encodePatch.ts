import { readFile, writeFile } from 'node:fs/promises';
import { MARGIN } from '../../patch/model/differences.ts';
import { writePatch } from '../../patch/writePatch.ts';
import type { LayerFile } from '../layer.ts';
import { findCopies } from './findCopies.ts';

/** The layers of a patch have at most this many bytes together: they are held in memory. */
export const LARGEST_LAYERS: number = 2 ** 31;

/**
 * Writes a patch that makes `to` from the sources to `destination`. docs/patch-format.md has its
 * format. Its bytes depend only on the contents.
 *
 * Throws RangeError if the layers have more than LARGEST_LAYERS bytes together, and the system's
 * error if reading or writing fails.
 */
export async function encodePatch(
  sources: readonly LayerFile[],
  to: LayerFile,
  destination: string,
): Promise<void> {
  const ends = endsOf(sources);
  const joined = ends.at(-1) ?? 0;
  if (joined + to.size > LARGEST_LAYERS) throw new RangeError('the layers are too large for a patch');
  // MARGIN zeros before and after the sources.
  const source = Buffer.alloc(joined + 2 * MARGIN);
  for (const [index, { path }] of sources.entries()) {
    source.set(await readFile(path), MARGIN + (ends[index - 1] ?? 0));
  }
  const bytes = await readFile(to.path);
  const layers = { bytes: source.subarray(MARGIN, MARGIN + joined), ends };
  const patch = writePatch({
    sources: sources.map(({ diffID, size }) => ({ digest: diffID, size })),
    source,
    target: { digest: to.diffID, size: to.size },
    bytes,
    copies: findCopies(layers, bytes),
  });
  await writeFile(destination, patch);
}

/** Where each layer ends if all are joined. */
function endsOf(layers: readonly LayerFile[]): number[] {
  let end = 0;
  return layers.map(({ size }) => (end += size));
}
