import { join } from 'node:path';
import type { LayerFile } from '../../../src/delta/layer.ts';
import { MARGIN } from '../../../src/patch/model/differences.ts';
import { writePatch } from '../../../src/patch/writePatch.ts';
import { layerAt } from '../files.ts';
import { contentOf } from '../tars.ts';

const HALF = 1 << 20;
/** Copies of one byte. */
const COPIES = 1 << 16;

/**
 * A patch of a few hundred bytes whose copies alternate between two places of one slot of a
 * decoder's blocks: each byte costs the read of a block. No encoder makes it. `claimed`: the size
 * of the base layer in its header.
 */
export function alternatingPatch(
  folder: string,
  claimed: number = 2 * HALF,
): { from: LayerFile; to: LayerFile; bytes: Buffer } {
  const half = contentOf({ kind: 'noise', seed: 4, size: HALF });
  const [joined, target] = [Buffer.concat([half, half]), half.subarray(0, COPIES)];
  const from = layerAt(join(folder, 'alternating-old'), joined);
  const to = layerAt(join(folder, 'alternating-new'), target);
  const source = Buffer.concat([Buffer.alloc(MARGIN), joined, Buffer.alloc(MARGIN)]);
  const at = Array.from({ length: COPIES }, (_, index) => index);
  const copies = {
    count: COPIES,
    at,
    from: at.map((place) => place + (place % 2) * HALF),
    size: at.map(() => 1),
  };
  const parts = { source, bytes: target, copies };
  const sources = [{ digest: from.diffID, size: claimed }];
  const bytes = writePatch({ sources, target: { digest: to.diffID, size: to.size }, ...parts });
  return { from, to, bytes };
}
