import type { ArtifactReport, LayerReport } from '../../mender/read/report.ts';
import type { Digest } from '../../oci/digest.ts';

/** What an installation takes on a device, estimated from what both update modules do. */
export interface DeviceEstimate {
  /** Bytes free that the update client's work folder needs at the worst moment. */
  workBytes: number;
  /** Bytes by which Docker's store grows, at most. */
  storeBytes: number;
  /** Bytes of memory of the decoder; 0 where there is nothing to decode. */
  memoryBytes: number;
  /** Bytes that decoding reads of old layers and deltas. */
  readBytes: number;
}

/** One image as the estimate sees it; all sizes in bytes. */
export interface EstimatedImage {
  layers: readonly (LayerReport & { size: number })[];
  /** Of the old image's layers, as far as they are known. */
  oldSizes: ReadonlyMap<Digest, number>;
  sourceBytesRead: number;
}

/** Measured: xdelta3 on a device takes this much, whatever the layer. */
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
    // The payload and what is unpacked of it lie there all the time.
    workBytes: 2 * payload + (module === 'app' ? appPeak(images) : composePeak(images, hasDeltas)),
    storeBytes: sum(images.map(newBytes)),
    memoryBytes: hasDeltas ? DECODER_MEMORY : 0,
    readBytes: deltaBytes + sum(images.map(({ sourceBytesRead }) => sourceBytesRead)),
  };
}

/** One image after the other: the old one as a tar and unpacked, the new one unpacked and as a tar. */
function appPeak(images: readonly EstimatedImage[]): number {
  const rebuilt = images.filter(({ layers }) => layers.some(({ kind }) => kind !== 'full'));
  return Math.max(0, ...rebuilt.map((image) => 2 * oldBytes(image) + 2 * newBytes(image)));
}

/** The state script unpacks one old image at a time, and keeps all new ones: as files, and as tars of them. */
function composePeak(images: readonly EstimatedImage[], hasDeltas: boolean): number {
  if (!hasDeltas) return 0;
  return 2 * sum(images.map(newBytes)) + Math.max(...images.map(oldBytes));
}

function newBytes({ layers }: EstimatedImage): number {
  return sum(layers.map(({ kind, size }) => (kind === 'omit' ? 0 : size)));
}

function oldBytes({ oldSizes }: EstimatedImage): number {
  return sum([...oldSizes.values()]);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
