import type { ArtifactReport, LayerReport } from '../../mender/read/report.ts';
import type { Digest } from '../../oci/digest.ts';

/** What an installation needs on a device, estimated from what both update modules do. */
export interface DeviceEstimate {
  /** Free bytes that the update client's work folder needs at most. */
  workBytes: number;
  /** Bytes by which Docker's store grows, at most. */
  storeBytes: number;
  /** Bytes of memory of the decoder; 0 if there is nothing to decode. */
  memoryBytes: number;
  /** Bytes that decoding reads of base layers and deltas. */
  readBytes: number;
}

/** One image for the estimate. All sizes are in bytes. */
export interface EstimatedImage {
  layers: readonly (LayerReport & { size: number })[];
  /** Of the base image's layers, as far as they are known. */
  baseSizes: ReadonlyMap<Digest, number>;
  sourceBytesRead: number;
}

/** Measured: xdelta3 on a device takes this much for any layer. */
const DECODER_MEMORY = 75e6;

/** Estimates what a device needs. Pure. */
export function estimateDevice(
  { module, files }: Pick<ArtifactReport, 'module' | 'files'>,
  images: readonly EstimatedImage[],
): DeviceEstimate {
  const payload = sum(files.map(({ size }) => size));
  const all = images.flatMap(({ layers }) => layers);
  const hasDeltas = all.some(({ kind }) => kind === 'delta');
  const deltaBytes = sum(all.map(({ kind, bytes }) => (kind === 'delta' ? bytes : 0)));
  return {
    // The payload and its unpacked files are there all the time.
    workBytes: 2 * payload + (module === 'app' ? appPeak(images) : composePeak(images, hasDeltas)),
    storeBytes: sum(images.map(newBytes)),
    memoryBytes: hasDeltas ? DECODER_MEMORY : 0,
    readBytes: deltaBytes + sum(images.map(({ sourceBytesRead }) => sourceBytesRead)),
  };
}

/**
 * One image after the other: the base image as a tar and unpacked, the new one unpacked and as a
 * tar.
 */
function appPeak(images: readonly EstimatedImage[]): number {
  const rebuilt = images.filter(({ layers }) => layers.some(({ kind }) => kind !== 'full'));
  return Math.max(0, ...rebuilt.map((image) => 2 * baseBytes(image) + 2 * newBytes(image)));
}

/**
 * The state script unpacks one base image at a time, and keeps all new ones, as files and as tars.
 */
function composePeak(images: readonly EstimatedImage[], hasDeltas: boolean): number {
  if (!hasDeltas) return 0;
  return 2 * sum(images.map(newBytes)) + Math.max(...images.map(baseBytes));
}

function newBytes({ layers }: EstimatedImage): number {
  return sum(layers.map(({ kind, size }) => (kind === 'omit' ? 0 : size)));
}

function baseBytes({ baseSizes }: EstimatedImage): number {
  return sum([...baseSizes.values()]);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
