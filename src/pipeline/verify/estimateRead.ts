import type { Cache } from '../../cache/cache.ts';
import type { ArtifactReport, LayerReport } from '../../mender/read/report.ts';
import type { Digest } from '../../oci/digest.ts';
import type { ImageContent } from './content.ts';
import type { DeviceEstimate } from './estimate.ts';
import { estimateDevice } from './estimate.ts';
import type { BaseLayers } from './layers.ts';
import { promisedSizes } from './names.ts';
import type { EstimatedImage } from './sizes.ts';

/** An image of an artifact that was read to its end. */
export interface ReadImage {
  image: ImageContent;
  base: Pick<BaseLayers, 'layers'> | undefined;
  /** Bytes of base layers that decoding reads. */
  sourceBytesRead: number;
}

/** Estimates from an artifact that was read. Asks the cache for the sizes of base layers. */
export async function estimateRead(
  { module, files, scripts }: ArtifactReport,
  images: readonly ReadImage[],
  cache: Cache,
): Promise<DeviceEstimate> {
  const payload = files.reduce((sum, { size }) => sum + size, 0);
  const estimated = await Promise.all(images.map((image) => estimatedImage(image, cache)));
  return estimateDevice({ module, payload, hasScripts: scripts.length > 0 }, estimated);
}

async function estimatedImage(
  { image, base, sourceBytesRead }: ReadImage,
  { layers: store }: Cache,
): Promise<EstimatedImage> {
  const layers = sizedLayers(image);
  const newSizes = new Map(layers.map(({ diffID, size }) => [diffID, size] as const));
  const sizeOf = async (diffID: Digest): Promise<number> =>
    (await store.sizeOf(diffID)) ?? newSizes.get(diffID) ?? 0;
  const below = (base?.layers ?? []).map(async (diffID) => ({ diffID, size: await sizeOf(diffID) }));
  return { layers, base: await Promise.all(below), sourceBytesRead };
}

/** The layers of an image with their bytes; 0 if they are unknown. */
export function sizedLayers(image: ImageContent): (LayerReport & { size: number })[] {
  const sizes = promisedSizes(image);
  return image.report.layers.map((layer, position) => ({ ...layer, size: sizes[position] ?? 0 }));
}

/** The bytes of base layers that the deltas of one image read. */
export function bytesRead(deltas: ReadonlyMap<Digest, { sourceBytesRead: number }> | undefined): number {
  return [...(deltas?.values() ?? [])].reduce((sum, { sourceBytesRead }) => sum + sourceBytesRead, 0);
}
