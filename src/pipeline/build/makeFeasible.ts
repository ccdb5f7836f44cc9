import type { Cache } from '../../cache/cache.ts';
import type { LayerStore } from '../../cache/layers.ts';
import { uncompressed } from '../../compress/decompress.ts';
import { looksCompressed, startsCompressed } from '../../delta/sniff.ts';
import type { Log } from '../../io/log.ts';
import { mapLimited } from '../../io/pool.ts';
import { readAhead } from '../../io/verify.ts';
import type { Digest } from '../../oci/digest.ts';
import type { Platform } from '../../oci/platform.ts';
import type { BaseImage } from '../base/baseImages.ts';
import { locateBaseImage } from '../base/baseImages.ts';
import { UNPACKED_AT_ONCE } from '../images/fetch.ts';
import type { LocatedImage } from '../images/locate.ts';
import type { LayerPlan } from '../plan/plan.ts';
import type { PlannedImage } from '../plan/planBuild.ts';

/** What finding out needs. */
export interface FeasibleContext {
  cache: Pick<Cache, 'layers'>;
  log: Log;
}

/**
 * Returns the image with a plan that can be carried out. Layers that no device could decode from a delta, and layers whose base
 * image is gone, ship whole in it. May unpack layers of the cache and ask sources. Afterwards the base layers are in the cache,
 * or `base.located` says who has them.
 */
export async function makeFeasible(
  planned: PlannedImage,
  platform: Platform,
  { cache, log }: FeasibleContext,
): Promise<PlannedImage> {
  const decodable = await shipCompressedWhole(planned, cache.layers);
  const { base, plan, image } = decodable;
  if (base === undefined || !plan.layers.some(({ kind }) => kind === 'delta')) return decodable;
  const unheld = await findUnheld(base, cache.layers);
  if (unheld.length === 0) return decodable;
  const located = base.located ?? (await locateBaseImage(base.metadata, platform, base.images, log));
  const isThere = located !== undefined && (await hasLayers(located, unheld));
  if (isThere) return { ...decodable, base: { ...base, located } };
  const gone = located === undefined ? 'the base image' : 'a layer of the base image';
  log.warning(
    `${image.services.join(', ')}: ${gone} ${base.metadata.ref} is gone; shipping changed layers whole`,
  );
  return { ...decodable, plan: { ...plan, layers: plan.layers.map(withoutDelta) } };
}

function withoutDelta(layer: LayerPlan): LayerPlan {
  return layer.kind === 'delta' ? { ...layer, kind: 'full' } : layer;
}

/** Returns the layers of the base image that the cache does not have. */
async function findUnheld(base: BaseImage, layers: LayerStore): Promise<Digest[]> {
  const held = await mapLimited(base.layers, UNPACKED_AT_ONCE, (diffID) => layers.ensureUnpacked(diffID));
  return base.layers.filter((_, position) => held[position] === undefined);
}

/** A registry may have deleted a layer of an image that it had before. */
async function hasLayers({ image, source }: LocatedImage, diffIDs: readonly Digest[]): Promise<boolean> {
  const missing = await source.findMissing?.(image, diffIDs);
  return missing === undefined || missing.length === 0;
}

/** Xdelta3 can't copy a layer that it takes for compressed. A layer that is not in the cache is taken for a tar. */
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
