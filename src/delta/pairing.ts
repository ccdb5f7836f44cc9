import type { Digest } from '../oci/digest.ts';

/** What pairing knows of a layer: one number an entry in each list. */
export interface LayerSummary {
  diffID: Digest;
  /** Bytes of the entry's content. */
  sizes: Float64Array;
  /** Checksums of size and sampled content; 0 for an entry without content. */
  contents: Uint32Array;
  /** Checksums of the path. */
  names: Uint32Array;
  /** Checksums of the path without the digits in it: the same file in another version. */
  unversioned: Uint32Array;
}

/** What a header weighs, in bytes of content. */
const HEADER = 512;
/** A changed file is about half as good as an unchanged one, one that may be its next version half of that. */
const SAME_NAME = 0.5;
const OTHER_VERSION = 0.25;
/** Below this share of a layer, a source is not worth having. */
const LEAST_SHARE = 0.01;

/**
 * The base layer that is the best source of each new one, undefined where none shares at least a hundredth of its bytes:
 * shared content counts in full, files of the same name half, files whose names differ in digits only a quarter. Of equal
 * ones the first is taken. Several new layers may have the same source, as when a layer was split.
 */
export function pairByContent(
  baseLayers: readonly LayerSummary[],
  newLayers: readonly LayerSummary[],
): Map<Digest, Digest | undefined> {
  const known = baseLayers.map((layer) => ({ diffID: layer.diffID, lists: sortedLists(layer) }));
  const pairs = new Map<Digest, Digest | undefined>();
  for (const layer of newLayers) {
    let source: Digest | undefined;
    let best = LEAST_SHARE * weightOf(layer);
    for (const { diffID, lists } of known) {
      const shared = sharedWeight(layer, lists);
      if (shared > best) [source, best] = [diffID, shared];
    }
    pairs.set(layer.diffID, source);
  }
  return pairs;
}

type Lists = Pick<LayerSummary, 'contents' | 'names' | 'unversioned'>;

function sortedLists(layer: LayerSummary): Lists {
  return {
    contents: layer.contents.slice().sort(),
    names: layer.names.slice().sort(),
    unversioned: layer.unversioned.slice().sort(),
  };
}

function weightOf(layer: LayerSummary): number {
  return layer.sizes.reduce((sum, size) => sum + size + HEADER, 0);
}

function sharedWeight(layer: LayerSummary, old: Lists): number {
  let weight = 0;
  layer.sizes.forEach((size, entry) => {
    const content = layer.contents[entry]!;
    const hasName = holds(old.names, layer.names[entry]!);
    if (content !== 0 && holds(old.contents, content)) weight += size + (hasName ? HEADER * SAME_NAME : 0);
    else if (hasName) weight += (size + HEADER) * SAME_NAME;
    else if (holds(old.unversioned, layer.unversioned[entry]!)) weight += (size + HEADER) * OTHER_VERSION;
  });
  return weight;
}

function holds(sorted: Uint32Array, wanted: number): boolean {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle]! < wanted) low = middle + 1;
    else high = middle;
  }
  return sorted[low] === wanted;
}
