import type { LayerReport } from '../../mender/read/report.ts';
import type { Digest } from '../../oci/digest.ts';
import { digestOf } from '../../oci/digest.ts';

/** One image for the estimate. All sizes are in bytes. */
export interface EstimatedImage {
  layers: readonly (LayerReport & { size: number })[];
  /** The layers of the base image from the lowest on. An unknown size is 0. */
  base: readonly { diffID: Digest; size: number }[];
  sourceBytesRead: number;
}

/** Sizes of one image, in bytes. */
export interface Sizes {
  /** New layers, unpacked. Docker unpacks a layer again if it lies on other layers than before. */
  unpacked: number;
  /** New layers as they come, each once. The containerd store keeps them. */
  blobs: number;
  /** All layers. */
  all: number;
  /** Base layers that are read. */
  sources: number;
  /** The base image. */
  base: number;
}

/**
 * Returns the sizes of each image, in this order. Docker holds the layers of all base images and of
 * the images before one. Pure.
 */
export function sizesOf(images: readonly EstimatedImage[]): Sizes[] {
  const bases = images.flatMap(({ base }) => stacked(base));
  const chains = new Set(bases.map(({ chain }) => chain));
  const blobs = new Set<Digest | undefined>(bases.map(({ diffID }) => diffID));
  return images.map(({ layers, base }) => {
    const known = stacked(layers).filter(({ kind }) => kind !== 'omit' || base.length > 0);
    const unpacked = known.filter(({ chain }) => !chains.has(chain));
    const come = uniqueLayers(unpacked).filter(({ diffID }) => !blobs.has(diffID));
    for (const { chain } of unpacked) chains.add(chain);
    for (const { diffID } of come) blobs.add(diffID);
    const read = new Set(unpacked.map(({ kind, from, diffID }) => (kind === 'omit' ? diffID : from)));
    return {
      unpacked: sumOf(unpacked, sizeOf),
      blobs: sumOf(come, sizeOf),
      all: sumOf(uniqueLayers(layers), sizeOf),
      sources: sumOf(
        uniqueLayers(base).filter(({ diffID }) => read.has(diffID)),
        sizeOf,
      ),
      base: layers.some(({ kind }) => kind !== 'full') ? sumOf(base, sizeOf) : 0,
    };
  });
}

/** Layers with their chains: the layer and all below it. */
function stacked<T extends { diffID?: Digest }>(layers: readonly T[]): (T & { chain: string })[] {
  let chain = '';
  return layers.map((layer) => {
    // The text of all below would be too long for an image of thousands of layers.
    chain = digestOf(`${chain} ${layer.diffID ?? ''}`);
    return { ...layer, chain };
  });
}

/** Each layer once. One without a known digest is like no other. */
function uniqueLayers<T extends { diffID?: Digest }>(layers: readonly T[]): T[] {
  return [...new Map(layers.map((layer) => [layer.diffID ?? layer, layer])).values()];
}

const sizeOf = ({ size }: { size: number }): number => size;

/** The sum of a number of each value. */
export function sumOf<T>(values: readonly T[], numberOf: (value: T) => number): number {
  return values.reduce((total, value) => total + numberOf(value), 0);
}
