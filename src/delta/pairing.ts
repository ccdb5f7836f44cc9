import type { Digest } from '../oci/digest.ts';

/** What pairing knows of a layer. Each list has one number per entry. */
export interface LayerSummary {
  diffID: Digest;
  /** Bytes of the entry's content. */
  sizes: Float64Array;
  /** Checksums of size and sampled content; 0 for an entry without content. */
  contents: Uint32Array;
  /** Checksums of the path. */
  names: Uint32Array;
  /** Checksums of the path without digits: the same in another version. */
  unversioned: Uint32Array;
}

/** The weight of a header, in bytes of content. */
const HEADER = 512;
/**
 * A changed file is about half as useful as an unchanged one, one of another version half of that.
 */
const SAME_NAME = 0.5;
const OTHER_VERSION = 0.25;
/** The least share of a layer that a base layer must have to be useful. */
const LEAST_SHARE = 0.01;

/**
 * The best base layer of each new layer, undefined if none shares a hundredth of its bytes. Shared
 * content counts fully, files of the same name half, files whose names differ only in digits a
 * quarter. The first of equally good ones wins. Several new layers may have the same base layer,
 * for example after a layer was split.
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

function sharedWeight(layer: LayerSummary, base: Lists): number {
  let weight = 0;
  layer.sizes.forEach((size, entry) => {
    const content = layer.contents[entry]!;
    const hasName = holds(base.names, layer.names[entry]!);
    if (content !== 0 && holds(base.contents, content)) weight += size + (hasName ? HEADER * SAME_NAME : 0);
    else if (hasName) weight += (size + HEADER) * SAME_NAME;
    else if (holds(base.unversioned, layer.unversioned[entry]!)) weight += (size + HEADER) * OTHER_VERSION;
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
