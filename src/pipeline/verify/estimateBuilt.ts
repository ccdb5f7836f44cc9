import type { PayloadImage, PayloadLayer } from '../../mender/payload.ts';
import type { LayerReport } from '../../mender/read/report.ts';
import type { Digest } from '../../oci/digest.ts';
import { formatReference } from '../../oci/reference.ts';
import { DEFAULT_BUFFER } from '../../vcdiff/sourceReads.ts';
import type { BaseImage } from '../base/baseImages.ts';
import type { PlannedImage } from '../plan/planBuild.ts';
import type { DeviceEstimate, EstimatedArtifact } from './estimate.ts';
import { estimateDevice } from './estimate.ts';
import type { EstimatedImage } from './sizes.ts';

/**
 * Estimates from what was built, as `verify` does from the finished artifact. `read`: bytes that
 * decoding a delta reads of its base layer, by diffID, as far as they are known; of other base
 * layers it reads all. Pure.
 */
export function estimateBuilt(
  artifact: EstimatedArtifact,
  images: readonly PayloadImage[],
  planned: readonly PlannedImage[],
  read: ReadonlyMap<Digest, number> = new Map(),
): DeviceEstimate {
  const bases = new Map(planned.map(({ image, base }) => [formatReference(image.name), base]));
  const estimated = images.map((image) =>
    estimatedImage(image, bases.get(formatReference(image.name)), read),
  );
  return estimateDevice(artifact, estimated);
}

function estimatedImage(
  { layers }: PayloadImage,
  base: BaseImage | undefined,
  read: ReadonlyMap<Digest, number>,
): EstimatedImage {
  const reads = layers.map(({ diffID, content }) =>
    content.kind === 'delta' ? (read.get(diffID) ?? content.fromSize) : 0,
  );
  const deltas = layers.flatMap(({ content }) => (content.kind === 'delta' ? [content] : []));
  const known = new Map<Digest, number>([
    ...layers.map(({ diffID, size }) => [diffID, size] as const),
    ...(base?.metadata.layers ?? []).flatMap(({ diffID, size }) =>
      size === undefined ? [] : [[diffID, size] as const],
    ),
    ...deltas.map(({ from, fromSize }) => [from, fromSize] as const),
  ]);
  return {
    layers: layers.map((layer) => ({ ...reportOf(layer), size: layer.size })),
    base: (base?.layers ?? []).map((diffID) => ({ diffID, size: known.get(diffID) ?? 0 })),
    sourceBytesRead: reads.reduce((sum, bytes) => sum + bytes, 0),
  };
}

function reportOf({ diffID, size, content }: PayloadLayer): LayerReport {
  if (content.kind === 'delta') {
    const { from, size: sent } = content;
    const { buffer = DEFAULT_BUFFER } = content;
    const format =
      content.format === 'patch' ? { format: content.format, memory: content.buffer ?? 0 } : { buffer };
    return { diffID, kind: 'delta', ...format, sent, from };
  }
  return { diffID, kind: content.kind, sent: content.kind === 'omit' ? 0 : size };
}
