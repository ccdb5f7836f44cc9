import type { CachedLayer } from '../../cache/layers.ts';
import { SourceFile } from '../../delta/sourceFile.ts';
import type { Chunks } from '../../io/streams.ts';
import { decodeVcdiff, decodeWithoutSource } from '../../vcdiff/decode.ts';
import { readBaseIndex } from './baseIndex.ts';
import { examineLayer } from './examineLayer.ts';
import type { LayerContents } from './examined.ts';
import { noOrigins } from './examined.ts';
import { SpanQueue } from './spanQueue.ts';
import { Weigher } from './weigher.ts';

/** A layer with what its delta reads of the base layer. */
export interface ReadDelta {
  contents: LayerContents;
  /** Bytes; 0 if the base layer is not here. */
  sourceBytesRead: number;
}

/**
 * Examines the layer of `size` bytes that a delta makes from `base`. Throws IntegrityError for a
 * damaged delta, or one of another base layer.
 */
export async function examineDelta(
  delta: Chunks,
  base: Pick<CachedLayer, 'path'>,
  size: number,
): Promise<ReadDelta> {
  const origins = { spans: new SpanQueue(), base: await readBaseIndex(base) };
  const source = new SourceFile(base.path);
  try {
    const layer = copied(decodeVcdiff(delta, source, size, origins.spans));
    const contents = await examineLayer(layer, origins);
    weighInstructions(contents, origins.spans.weightOfInstructions());
    return { contents, sourceBytesRead: source.bytesRead };
  } finally {
    source.close();
  }
}

/** Examines as much of a layer as its delta alone tells: sums, and no files. */
export async function examineLoneDelta(delta: Chunks, size: number): Promise<ReadDelta> {
  const spans = new SpanQueue();
  const weigher = new Weigher();
  const sum = { ...noOrigins(), weight: 0, instructions: 0, files: undefined };
  for await (const piece of decodeWithoutSource(delta, size, spans)) {
    spans.take(piece.length, (at, bytes, origin, isBegun) => {
      if (!isBegun) sum.instructions += 1;
      if (typeof origin === 'number') sum.kept += bytes;
      else sum[origin] += bytes;
      if (origin === 'added') weigher.add(sum, piece.subarray(at, at + bytes));
    });
  }
  weigher.finish();
  weighInstructions(sum, spans.weightOfInstructions());
  return { contents: sum, sourceBytesRead: 0 };
}

/** Adds the weight of a delta's instructions. Each file has the share that its own are of all. */
function weighInstructions(contents: LayerContents, weight: number): void {
  contents.weight += weight;
  for (const file of contents.files ?? []) {
    file.weight += (weight * file.instructions) / Math.max(1, contents.instructions);
  }
}

/** A decoder uses the memory of a piece again, and a reader may still hold the last one. */
async function* copied(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer, void, undefined> {
  for await (const piece of pieces) yield Buffer.from(piece);
}
