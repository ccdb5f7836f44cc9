import type { Cache } from '../../cache/cache.ts';
import type { LayerStore } from '../../cache/layers.ts';
import { uncompressed } from '../../compress/decompress.ts';
import { looksCompressed, startsCompressed } from '../../delta/sniff.ts';
import type { Log } from '../../io/log.ts';
import { readAhead } from '../../io/verify.ts';
import type { Digest } from '../../oci/digest.ts';
import type { Platform } from '../../oci/platform.ts';
import type { LayerPlan } from '../plan/plan.ts';
import type { PlannedImage } from '../plan/planBuild.ts';
import { avoidGoneLayers } from './goneLayers.ts';

/** What finding out needs. */
export interface FeasibleContext {
  cache: Pick<Cache, 'layers'>;
  log: Log;
}

/**
 * Returns the image with a plan that can be carried out. Layers that no device could decode from a
 * delta ship whole in it, and so do those that `avoidGoneLayers` finds. May unpack layers of the
 * cache and ask sources.
 */
export async function makeFeasible(
  planned: PlannedImage,
  platform: Platform,
  { cache, log }: FeasibleContext,
): Promise<PlannedImage> {
  const decodable = await shipCompressedWhole(planned, cache.layers);
  const hold = (diffID: Digest) => cache.layers.ensureUnpacked(diffID);
  return avoidGoneLayers(decodable, platform, { log, hold });
}

/**
 * Xdelta3 can't copy a layer that it takes for compressed. A layer that is not in the cache is
 * taken for a tar.
 */
async function shipCompressedWhole(planned: PlannedImage, store: LayerStore): Promise<PlannedImage> {
  const layers = await Promise.all(
    planned.plan.layers.map(async (layer): Promise<LayerPlan> => {
      const isOdd = layer.kind === 'identity' && (await beginsCompressed(layer.diffID, store));
      return isOdd ? { ...layer, kind: 'full' } : layer;
    }),
  );
  return { ...planned, plan: { ...planned.plan, layers } };
}

async function beginsCompressed(diffID: Digest, layers: LayerStore): Promise<boolean> {
  const held = await layers.find(diffID);
  if (held !== undefined) return looksCompressed(held.path);
  const packed = await layers.findPacked(diffID);
  return packed !== undefined && startsCompressed(await firstUncompressed(packed.gzipped.path));
}

async function firstUncompressed(path: string): Promise<Buffer> {
  for await (const chunk of uncompressed(readAhead(path))) return chunk;
  return Buffer.alloc(0);
}
