import type { LayerReport } from '../../mender/read/report.ts';
import { SMALLEST_BUFFER } from '../../vcdiff/sourceReads.ts';
import type { EstimatedImage, Sizes } from './sizes.ts';
import { sizesOf, sumOf } from './sizes.ts';

/** What an installation needs on a device, estimated from what both update modules do. */
export interface DeviceEstimate {
  /** With Docker's classic image store. */
  classic: StoreEstimate;
  /** With the containerd image store, the default of new installations since Docker 29. */
  containerd: StoreEstimate;
  /**
   * Bytes of memory that the decoder takes where there is enough; 0 if there is nothing to decode.
   */
  memoryBytes: number;
  /**
   * Bytes of memory that the decoder can't do without. It then reads more of base layers than
   * `readBytes`.
   */
  leastMemoryBytes: number;
  /** Bytes that decoding reads of base layers and deltas. */
  readBytes: number;
}

/** What an installation needs with one kind of image store. All in bytes. */
export interface StoreEstimate {
  /** Used disk at the highest point, over what was used before. */
  peakBytes: number;
  /** What Docker's store has more until the old images are removed. */
  storeBytes: number;
  /**
   * Written to the disk in all. On the classic store Docker makes temporary copies of what it saves
   * and loads. They are deleted before they are written, unless memory is short or the disk slow.
   */
  writtenBytes: number;
}

/**
 * Measured: xdelta3 as module app calls it, and as the state script does with the smallest buffer.
 */
const APP_DECODER = 79e6;
const SCRIPT_DECODER = 13.6e6;
/** The plan, the small files of images, and a block for each file. */
const SMALL_FILES = 1e6;
/**
 * Measured: what Docker and the client write in addition, as databases, logs and the journal of the
 * disk.
 */
const RECORDS = 8e6;

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
  const layers = images.flatMap((image) => image.layers);
  const deltas = layers.filter(({ kind }) => kind === 'delta');
  // A script passes whole images on as they are. Of others it leaves out what Docker has.
  const isWhole = layers.every(({ kind }) => kind === 'full');
  const stores = storesOf(module, hasScripts);
  return {
    classic: stores.classic(payload, sizes, ({ unpacked, all }) => (isWhole ? all : unpacked)),
    containerd: stores.containerd(payload, sizes, ({ blobs, all }) => (isWhole ? all : blobs)),
    memoryBytes: deltas.reduce((most, delta) => Math.max(most, memoryOf(delta, module)), 0),
    leastMemoryBytes: deltas.reduce((most, delta) => Math.max(most, leastMemoryOf(delta, module)), 0),
    readBytes: sum(deltas.map(({ sent }) => sent)) + sum(images.map((image) => image.sourceBytesRead)),
  };
}

/** Bytes of memory that a device with enough of it takes to decode the delta. */
function memoryOf(delta: LayerReport, module: string): number {
  const { format, buffer = SMALLEST_BUFFER } = delta;
  const isFixed = format === 'patch' || module === 'app';
  return leastMemoryOf(delta, module) + (isFixed ? 0 : buffer - SMALLEST_BUFFER);
}

/** The same of a device with little: the state script then chooses the smallest buffer. */
function leastMemoryOf({ format, memory = 0 }: LayerReport, module: string): number {
  if (format === 'patch') return memory;
  return module === 'app' ? APP_DECODER : SCRIPT_DECODER;
}

/** `loaded`: bytes of an image in the tar that Docker loads. */
type Estimator = (
  payload: number,
  sizes: readonly Sizes[],
  loaded: (image: Sizes) => number,
) => StoreEstimate;

function storesOf(module: string, hasScript: boolean): Record<'classic' | 'containerd', Estimator> {
  if (module === 'app') return { classic: appClassic, containerd: appContainerd };
  return hasScript
    ? { classic: scriptClassic, containerd: scriptContainerd }
    : { classic: moduleClassic, containerd: moduleContainerd };
}

/** Decodes into `docker load`, one image after the other. Docker spools what it saves and loads. */
const scriptClassic: Estimator = (payload, sizes, loaded) => ({
  peakBytes:
    payload +
    SMALL_FILES +
    withGrowth(sizes, (image) => Math.max(saved(image), image.sources + loaded(image) + image.unpacked)),
  storeBytes: sumOf(sizes, unpackedOf),
  writtenBytes: payload + RECORDS + sumOf(sizes, unpackedOf),
});

/** Reads base layers where they lie. Each new layer is there as a blob and as a snapshot. */
const scriptContainerd: Estimator = (payload, sizes, loaded) => ({
  peakBytes: payload + SMALL_FILES + sumOf(sizes, keptOf),
  storeBytes: sumOf(sizes, keptOf),
  writtenBytes: payload + RECORDS + sumOf(sizes, loaded) + sumOf(sizes, unpackedOf),
});

/** The module unpacks the payload before it loads the images. */
const moduleClassic: Estimator = (payload, sizes, loaded) => ({
  peakBytes: 2 * payload + withGrowth(sizes, (image) => loaded(image) + image.unpacked),
  storeBytes: sumOf(sizes, unpackedOf),
  writtenBytes: 2 * payload + RECORDS + sumOf(sizes, unpackedOf),
});

const moduleContainerd: Estimator = (payload, sizes, loaded) => ({
  peakBytes: 2 * payload + sumOf(sizes, keptOf),
  storeBytes: sumOf(sizes, keptOf),
  writtenBytes: 2 * payload + RECORDS + sumOf(sizes, loaded) + sumOf(sizes, unpackedOf),
});

/**
 * Module app has the base image as a tar and unpacked, and the new one unpacked and as a tar, while
 * it loads that.
 */
const appClassic: Estimator = (payload, sizes, loaded) => ({
  peakBytes: 2 * payload + withGrowth(sizes, (image) => rebuilt(image) + loaded(image) + image.unpacked),
  storeBytes: sumOf(sizes, unpackedOf),
  writtenBytes: 2 * payload + RECORDS + sumOf(sizes, rebuilt) + sumOf(sizes, unpackedOf),
});

const appContainerd: Estimator = (payload, sizes, loaded) => ({
  peakBytes:
    2 * payload + sizes.reduce((most, size) => Math.max(most, rebuilt(size)), 0) + sumOf(sizes, keptOf),
  storeBytes: sumOf(sizes, keptOf),
  writtenBytes:
    2 * payload + RECORDS + sumOf(sizes, rebuilt) + sumOf(sizes, loaded) + sumOf(sizes, unpackedOf),
});

const unpackedOf = ({ unpacked }: Sizes): number => unpacked;

/** What the containerd store keeps of an image. */
const keptOf = ({ blobs, unpacked }: Sizes): number => blobs + unpacked;

/** The base image while Docker saves it, and what is taken out of it. */
const saved = ({ base, sources }: Sizes): number => (sources > 0 ? base + sources : 0);

const rebuilt = ({ unpacked, base }: Sizes): number => (base > 0 ? 2 * base + 2 * unpacked : 0);

/** The highest of what the images take while they load, over what those before have left. */
function withGrowth(sizes: readonly Sizes[], peakOf: (image: Sizes) => number): number {
  let grown = 0;
  let highest = 0;
  for (const image of sizes) {
    highest = Math.max(highest, grown + peakOf(image));
    grown += image.unpacked;
  }
  return highest;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
