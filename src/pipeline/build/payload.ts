import { findConfig } from '../../cache/documents.ts';
import { layerSize } from '../../cache/layers.ts';
import { IntegrityError } from '../../errors.ts';
import type { LayerContent, PayloadImage, PayloadLayer } from '../../mender/payload.ts';
import type { Digest } from '../../oci/digest.ts';
import { identityDelta } from '../../vcdiff/identity.ts';
import { knownSizes } from '../base/base.ts';
import { feasible } from './feasible.ts';
import { fetchBlobs } from '../images/fetch.ts';
import type { Want } from '../images/fetch.ts';
import { changedLayers } from './layers.ts';
import type { LayerPlan } from '../plan/plan.ts';
import type { PlannedImage } from '../plan/planBuild.ts';
import type { BuildRequest } from '../request.ts';
import type { World } from '../images/world.ts';

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
  const ready: PlannedImage[] = [];
  // One after the other: images share layers of their bases.
  for (const image of planned) ready.push(await feasible(image, request, world));
  const sizes = await sizesOf(ready, world);
  const brought = await fetchBlobs(
    ready.flatMap((image) => wantsOf(image, sizes, request)),
    world,
  );
  const contents = await changedLayers(ready, brought, request, world);
  const complete = await sizesOf(ready, world);
  return Promise.all(
    ready.map((image) => payloadImage(image, contents.get(image) ?? new Map(), complete, world)),
  );
}

async function sizesOf(images: readonly PlannedImage[], world: World): Promise<Sizes> {
  const sizes = new Map<Digest, number>();
  for (const { base, image } of images) {
    if (base) for (const [diffID, size] of await knownSizes(base, world)) sizes.set(diffID, size);
    for (const { diffID } of image.image.layers) {
      const size = await layerSize(world.cache, diffID);
      if (size !== undefined) sizes.set(diffID, size);
    }
  }
  return sizes;
}

/**
 * The config, the layers that are read, and those whose size nobody knows yet. Layers that ship whole are not read, unless
 * they are to be compressed in another way.
 */
function wantsOf({ image, base, plan }: PlannedImage, sizes: Sizes, { compression }: BuildRequest): Want[] {
  const isShipped = ({ kind }: LayerPlan): boolean => kind === 'full' && compression === 'auto';
  const layers = plan.layers.filter(
    ({ kind, diffID }) => kind === 'full' || kind === 'delta' || !sizes.has(diffID),
  );
  const read = layers.filter((layer) => !isShipped(layer)).map(({ diffID }) => diffID);
  const shipped = layers.filter(isShipped).map(({ diffID }) => diffID);
  const wants: Want[] = [{ located: image, digests: [image.image.configDigest, ...read], shipped }];
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
  return { kind: 'delta', from: diffID, fromSize: size, size: body.length, body };
}
