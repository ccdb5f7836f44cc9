import type { LayerReport } from '../../mender/read/report.ts';
import type { Digest } from '../../oci/digest.ts';

/** What an installation needs on a device, estimated from what both update modules do. */
export interface DeviceEstimate {
  /** With Docker's classic image store. */
  classic: StoreEstimate;
  /** With the containerd image store, the default of new installations since Docker 29. */
  containerd: StoreEstimate;
  /** Bytes of memory of the decoder; 0 if there is nothing to decode. */
  memoryBytes: number;
  /** Bytes that decoding reads of base layers and deltas. */
  readBytes: number;
}

/** What an installation needs with one kind of image store. All in bytes. */
export interface StoreEstimate {
  /** Used disk at the highest point, over what was used before. */
  peakBytes: number;
  /** What Docker's store has more until the old images are removed. */
  storeBytes: number;
  /** Written to the disk in all. */
  writtenBytes: number;
}

/** One image for the estimate. All sizes are in bytes. */
export interface EstimatedImage {
  layers: readonly (LayerReport & { size: number })[];
  /** Of the base image's layers, as far as they are known. */
  baseSizes: ReadonlyMap<Digest, number>;
  sourceBytesRead: number;
}

/** Measured: xdelta3 as module app calls it, and as the state script does. */
const APP_DECODER = 79e6;
const SCRIPT_DECODER = 13.6e6;
/** The plan, the small files of images, and a block for each file. */
const SMALL_FILES = 1e6;

/** Sizes of one image: bytes of new layers, of the base layers that deltas name, of the base image. */
interface Sizes {
  news: number;
  sources: number;
  base: number;
}

/** An artifact for the estimate. */
export interface EstimatedArtifact {
  module: string;
  /** Bytes of the payload's files. */
  payload: number;
  /** True if state scripts load the images. */
  hasScripts: boolean;
}

/** Estimates what a device needs. Pure. */
export function estimateDevice(
  { module, payload, hasScripts }: EstimatedArtifact,
  images: readonly EstimatedImage[],
): DeviceEstimate {
  const sizes = sizesOf(images);
  const deltas = images.flatMap(({ layers }) => layers).filter(({ kind }) => kind === 'delta');
  const stores = storesOf(module, hasScripts);
  const decoder = module === 'app' ? APP_DECODER : SCRIPT_DECODER;
  return {
    classic: stores.classic(payload, sizes),
    containerd: stores.containerd(payload, sizes),
    memoryBytes: deltas.length > 0 ? decoder : 0,
    readBytes: sum(deltas.map(({ sent }) => sent)) + sum(images.map((image) => image.sourceBytesRead)),
  };
}

type Estimator = (payload: number, sizes: readonly Sizes[]) => StoreEstimate;

function storesOf(module: string, hasScript: boolean): Record<'classic' | 'containerd', Estimator> {
  if (module === 'app') return { classic: appClassic, containerd: appContainerd };
  return hasScript
    ? { classic: scriptClassic, containerd: scriptContainerd }
    : { classic: moduleClassic, containerd: moduleContainerd };
}

/** Decodes into `docker load`, one image after the other. Docker spools what it saves and loads. */
function scriptClassic(payload: number, sizes: readonly Sizes[]): StoreEstimate {
  const peaks = withGrowth(sizes, ({ news, sources, base }) =>
    Math.max(sources > 0 ? base + sources : 0, sources + 2 * news),
  );
  const saved = sum(sizes.map(({ sources, base }) => (sources > 0 ? base + sources : 0)));
  return {
    peakBytes: payload + SMALL_FILES + peaks,
    storeBytes: newBytes(sizes),
    writtenBytes: payload + SMALL_FILES + saved + 2 * newBytes(sizes),
  };
}

/** Reads base layers where they lie. Each new layer is there as a blob and as a snapshot. */
function scriptContainerd(payload: number, sizes: readonly Sizes[]): StoreEstimate {
  const grown = 2 * newBytes(sizes);
  const all = payload + SMALL_FILES + grown;
  return { peakBytes: all, storeBytes: grown, writtenBytes: all };
}

/** The module unpacks the payload before it loads the images. */
function moduleClassic(payload: number, sizes: readonly Sizes[]): StoreEstimate {
  return {
    peakBytes: 2 * payload + withGrowth(sizes, ({ news }) => 2 * news),
    storeBytes: newBytes(sizes),
    writtenBytes: 2 * payload + 2 * newBytes(sizes),
  };
}

function moduleContainerd(payload: number, sizes: readonly Sizes[]): StoreEstimate {
  const grown = 2 * newBytes(sizes);
  return { peakBytes: 2 * payload + grown, storeBytes: grown, writtenBytes: 2 * payload + grown };
}

/**
 * Module app has the base image as a tar and unpacked, and the new one unpacked and as a tar, while
 * it loads that.
 */
function appClassic(payload: number, sizes: readonly Sizes[]): StoreEstimate {
  const peak = withGrowth(sizes, (image) => rebuilt(image) + 2 * image.news);
  const written = sum(sizes.map((image) => rebuilt(image) + 2 * image.news));
  return {
    peakBytes: 2 * payload + peak,
    storeBytes: newBytes(sizes),
    writtenBytes: 2 * payload + written,
  };
}

function appContainerd(payload: number, sizes: readonly Sizes[]): StoreEstimate {
  const grown = 2 * newBytes(sizes);
  const work = Math.max(0, ...sizes.map(rebuilt));
  const written = sum(sizes.map(rebuilt));
  return {
    peakBytes: 2 * payload + work + grown,
    storeBytes: grown,
    writtenBytes: 2 * payload + written + grown,
  };
}

function rebuilt({ news, base }: Sizes): number {
  return base > 0 ? 2 * base + 2 * news : 0;
}

/** The highest of what the images take while they load, over what those before have left. */
function withGrowth(sizes: readonly Sizes[], peakOf: (image: Sizes) => number): number {
  let grown = 0;
  let highest = 0;
  for (const image of sizes) {
    highest = Math.max(highest, grown + peakOf(image));
    grown += image.news;
  }
  return highest;
}

/** A layer that several images bring counts for the first of them. */
function sizesOf(images: readonly EstimatedImage[]): Sizes[] {
  const seen = new Set<Digest>();
  return images.map(({ layers, baseSizes }) => {
    const brought = layers.filter(({ kind, diffID }) => kind !== 'omit' && !(diffID && seen.has(diffID)));
    for (const { diffID } of brought) if (diffID !== undefined) seen.add(diffID);
    const sources = new Set(brought.flatMap(({ kind, from }) => (kind === 'delta' && from ? [from] : [])));
    return {
      news: sum(brought.map(({ size }) => size)),
      sources: sum([...sources].map((diffID) => baseSizes.get(diffID) ?? 0)),
      base: layers.some(({ kind }) => kind !== 'full') ? sum([...baseSizes.values()]) : 0,
    };
  });
}

function newBytes(sizes: readonly Sizes[]): number {
  return sum(sizes.map(({ news }) => news));
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
