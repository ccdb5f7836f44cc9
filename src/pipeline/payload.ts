import { findConfig, findLayer } from '../cache/blobs.ts';
import { looksCompressed } from '../delta/sniff.ts';
import { IntegrityError } from '../errors.ts';
import type { LayerContent, PayloadImage, PayloadLayer } from '../mender/payload.ts';
import type { Digest } from '../oci/digest.ts';
import { identityDelta } from '../vcdiff/identity.ts';
import { knownSizes, locatePrevious } from './base.ts';
import { fetchBlobs } from './fetch.ts';
import type { Want } from './fetch.ts';
import { changedLayers } from './layers.ts';
import type { LayerPlan } from './plan.ts';
import type { PlannedImage } from './planBuild.ts';
import type { BuildRequest } from './request.ts';
import type { World } from './world.ts';

/** Bytes of the layers that are known, by diffID. */
type Sizes = ReadonlyMap<Digest, number>;

/**
 * Brings everything into the cache that the images of one artifact need, makes the deltas, and returns the images as
 * the artifact writer takes them.
 */
export async function payloadImages(
  planned: readonly PlannedImage[],
  request: BuildRequest,
  world: World,
): Promise<PayloadImage[]> {
  const usable = await Promise.all(planned.map((image) => withoutCompressed(image, world)));
  const ready = await Promise.all(usable.map((image) => withBaseAtHand(image, request, world)));
  const sizes = await sizesOf(ready, world);
  const brought = await fetchBlobs(
    ready.flatMap((image) => wantsOf(image, sizes)),
    world,
  );
  const contents = await changedLayers(ready, brought, request, world);
  const complete = await sizesOf(ready, world);
  return Promise.all(
    ready.map((image) => payloadImage(image, contents.get(image) ?? new Map(), complete, world)),
  );
}

/** A layer that xdelta3 takes for compressed can't be made from itself. One that is not at hand is taken for a tar. */
async function withoutCompressed(planned: PlannedImage, { cache }: World): Promise<PlannedImage> {
  const layers = await Promise.all(
    planned.plan.layers.map(async (layer): Promise<LayerPlan> => {
      const held = layer.kind === 'identity' ? await findLayer(cache, layer.diffID) : undefined;
      return held && (await looksCompressed(held.path)) ? { ...layer, kind: 'full' } : layer;
    }),
  );
  return { ...planned, plan: { ...planned.plan, layers } };
}

/** Where the previous image can't be had any more, its deltas turn into whole layers. */
async function withBaseAtHand(
  planned: PlannedImage,
  request: BuildRequest,
  world: World,
): Promise<PlannedImage> {
  const { base, plan, image } = planned;
  if (base === undefined || !plan.layers.some(({ kind }) => kind === 'delta')) return planned;
  const held = await Promise.all(base.layers.map((diffID) => findLayer(world.cache, diffID)));
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

async function sizesOf(images: readonly PlannedImage[], world: World): Promise<Sizes> {
  const sizes = new Map<Digest, number>();
  for (const { base, image } of images) {
    if (base) for (const [diffID, size] of await knownSizes(base, world)) sizes.set(diffID, size);
    for (const { diffID } of image.image.layers) {
      const held = await findLayer(world.cache, diffID);
      if (held) sizes.set(diffID, held.size);
    }
  }
  return sizes;
}

/** The config, the layers that are read, and those whose size nobody knows yet. */
function wantsOf({ image, base, plan }: PlannedImage, sizes: Sizes): Want[] {
  const layers = plan.layers.filter(
    ({ kind, diffID }) => kind === 'full' || kind === 'delta' || !sizes.has(diffID),
  );
  const wants: Want[] = [
    { located: image, digests: [image.image.configDigest, ...layers.map(({ diffID }) => diffID)] },
  ];
  const needsBase = plan.layers.some(({ kind }) => kind === 'delta');
  if (needsBase && base?.located) wants.push({ located: base.located, digests: base.layers });
  return wants;
}

async function payloadImage(
  { image, base, plan }: PlannedImage,
  changed: ReadonlyMap<Digest, LayerContent>,
  sizes: Sizes,
  world: World,
): Promise<PayloadImage> {
  const config = await findConfig(world.cache, image.image.configDigest);
  if (config === undefined)
    throw new IntegrityError(`image config ${image.image.configDigest} vanished from the cache`);
  const { id, name } = image;
  const layers = plan.layers.map((layer) => payloadLayer(layer, changed, sizes));
  const usesBase = layers.some(({ content }) => content.kind !== 'full');
  const { platform } = image.image;
  return { id, name, platform, config, layers, ...(base && usesBase ? { current: base.name } : {}) };
}

function payloadLayer(
  { kind, diffID }: LayerPlan,
  changed: ReadonlyMap<Digest, LayerContent>,
  sizes: Sizes,
): PayloadLayer {
  const size = sizes.get(diffID) ?? 0;
  if (kind === 'omit') return { diffID, size, content: { kind } };
  return { diffID, size, content: changed.get(diffID) ?? identityContent(diffID, size) };
}

function identityContent(diffID: Digest, size: number): LayerContent {
  const body = identityDelta(size);
  return { kind: 'delta', from: diffID, size: body.length, body };
}
