import { findLayer, findPacked, uncompressedLayer } from '../../cache/layers.ts';
import type { CacheLayout } from '../../cache/layout.ts';
import { looksCompressed, startsCompressed } from '../../delta/sniff.ts';
import { uncompressed } from '../../compress/decompress.ts';
import { mapLimited } from '../../io/pool.ts';
import { readAhead } from '../../io/verify.ts';
import type { Digest } from '../../oci/digest.ts';
import { locatePrevious } from '../base/base.ts';
import { UNPACKED_AT_ONCE } from '../images/fetch.ts';
import type { LayerPlan } from '../plan/plan.ts';
import type { PlannedImage } from '../plan/planBuild.ts';
import type { BuildRequest } from '../request.ts';
import type { World } from '../images/world.ts';

/**
 * The image with a plan that can be carried out: deltas that no device could decode, or for which nobody has the previous
 * image any more, are whole layers in it. The previous image's layers are in the cache then, or the base says who has them.
 */
export async function feasible(
  planned: PlannedImage,
  request: BuildRequest,
  world: World,
): Promise<PlannedImage> {
  return withBaseAtHand(await withoutCompressed(planned, world), request, world);
}

/** A layer that xdelta3 takes for compressed can't be made from itself. One that is not at hand is taken for a tar. */
async function withoutCompressed(planned: PlannedImage, { cache }: World): Promise<PlannedImage> {
  const layers = await Promise.all(
    planned.plan.layers.map(async (layer): Promise<LayerPlan> => {
      const isOdd = layer.kind === 'identity' && (await beginsCompressed(layer.diffID, cache));
      return isOdd ? { ...layer, kind: 'full' } : layer;
    }),
  );
  return { ...planned, plan: { ...planned.plan, layers } };
}

async function beginsCompressed(diffID: Digest, cache: CacheLayout): Promise<boolean> {
  const held = await findLayer(cache, diffID);
  if (held !== undefined) return looksCompressed(held.path);
  const packed = await findPacked(cache, diffID);
  return packed !== undefined && startsCompressed(await firstUncompressed(packed.gzipped.path));
}

async function firstUncompressed(path: string): Promise<Buffer> {
  for await (const chunk of uncompressed(readAhead(path))) return chunk;
  return Buffer.alloc(0);
}

/** Where the previous image can't be had any more, its deltas turn into whole layers. */
async function withBaseAtHand(
  planned: PlannedImage,
  request: BuildRequest,
  world: World,
): Promise<PlannedImage> {
  const { base, plan, image } = planned;
  if (base === undefined || !plan.layers.some(({ kind }) => kind === 'delta')) return planned;
  const held = await mapLimited(base.layers, UNPACKED_AT_ONCE, (diffID) =>
    uncompressedLayer(world.cache, diffID, world),
  );
  if (held.every((layer) => layer !== undefined)) return planned;
  const located =
    base.located ??
    (await locatePrevious(base.metadata, request.platform, { ...world, sources: base.sources }));
  if (located) return { ...planned, base: { ...base, located } };
  world.log.warning(
    `${image.services.join(', ')}: the previous image ${base.metadata.ref} is gone; shipping changed layers whole`,
  );
  const whole = plan.layers.map((layer): LayerPlan =>
    layer.kind === 'delta' ? { ...layer, kind: 'full' } : layer,
  );
  return { ...planned, plan: { ...plan, layers: whole } };
}
