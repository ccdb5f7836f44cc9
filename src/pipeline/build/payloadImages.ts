import type { Cache } from '../../cache/cache.ts';
import { IntegrityError } from '../../errors.ts';
import type { LayerContent, PayloadImage, PayloadLayer } from '../../mender/payload.ts';
import type { Digest } from '../../oci/digest.ts';
import { identityDelta } from '../../vcdiff/identity.ts';
import { knownSizes } from '../base/baseImages.ts';
import type { Want } from '../images/fetch.ts';
import { fetchBlobs } from '../images/fetch.ts';
import type { LayerPlan } from '../plan/plan.ts';
import type { PlannedImage } from '../plan/planBuild.ts';
import type { SettledRequest } from '../request.ts';
import type { EncodeContext } from './changedLayers.ts';
import { makeChangedLayers } from './changedLayers.ts';
import { makeFeasible } from './makeFeasible.ts';
import type { SharedDeltas } from './sharedDeltas.ts';
import { findSharedDeltas, shareDeltas } from './sharedDeltas.ts';
import { SMALLEST_BUFFER } from '../../vcdiff/sourceReads.ts';

/** Bytes of the layers whose size is known, by diffID. */
type Sizes = ReadonlyMap<Digest, number>;

/** An image, with what others have made of it. */
interface ImageToMake {
  /** The image as it would be made here alone. */
  feasible: PlannedImage;
  image: PlannedImage;
  /** The image with the layers that are read here. */
  own: PlannedImage;
  shared?: SharedDeltas | undefined;
}

/**
 * Brings everything into the cache that the images of one artifact need, makes the deltas, and
 * returns the images in the form that the artifact writer takes. `needsLayers`: false if deltas
 * that others share may save the layers that they are made of.
 */
export async function makePayloadImages(
  planned: readonly PlannedImage[],
  request: SettledRequest,
  context: EncodeContext,
  needsLayers: boolean,
): Promise<PayloadImage[]> {
  const { cache } = context;
  const prepared: ImageToMake[] = [];
  // One after the other, because images share layers of their base images.
  for (const one of planned) {
    const feasible = await makeFeasible(one, request.platform, context);
    const shared = needsLayers ? undefined : await findSharedDeltas(feasible, request, cache);
    const image = shared?.image ?? feasible;
    prepared.push({ feasible, image, own: withoutChanged(image, shared), shared });
  }
  const sizes = await sizesOf(prepared, cache);
  const wants = prepared.flatMap((one) => wantsOf(one, sizes, request));
  const brought = await fetchBlobs(wants, context);
  const own = prepared.map((one) => one.own);
  const made = await makeChangedLayers(own, brought, request, context);
  const complete = await sizesOf(prepared, cache);
  const finished = prepared.map((one) => ({
    ...one,
    contents: new Map([...(made.get(one.own) ?? []), ...(one.shared?.contents ?? [])]),
  }));
  for (const { feasible, contents } of finished)
    await shareDeltas(feasible, contents, complete, request, cache);
  return Promise.all(finished.map(({ image, contents }) => payloadImage(image, contents, complete, cache)));
}

/** The image as far as its layers are read here. */
function withoutChanged(image: PlannedImage, shared: SharedDeltas | undefined): PlannedImage {
  if (shared === undefined) return image;
  const layers = image.plan.layers.filter(({ kind }) => kind !== 'delta');
  return { ...image, plan: { ...image.plan, layers } };
}

/** What is signed wins over metadata, which anybody may have written. The cache wins over both. */
async function sizesOf(prepared: readonly ImageToMake[], cache: Cache): Promise<Sizes> {
  const sizes = new Map<Digest, number>();
  const add = (known: ReadonlyMap<Digest, number>): void =>
    known.forEach((size, one) => sizes.set(one, size));
  const images = prepared.map(({ image }) => image);
  for (const { base } of images) if (base) add(await knownSizes(base, cache));
  for (const { shared } of prepared) if (shared) add(shared.sizes);
  for (const { diffID } of images.flatMap(({ image }) => image.image.layers)) {
    const size = await cache.layers.sizeOf(diffID);
    if (size !== undefined) sizes.set(diffID, size);
  }
  return sizes;
}

/**
 * Returns what must be in the cache: the config, the layers that are read, and those whose size is
 * unknown. A layer that ships whole is only read if it is compressed in another way.
 */
function wantsOf(
  { own }: ImageToMake,
  sizes: Sizes,
  { compression }: Pick<SettledRequest, 'compression'>,
): Want[] {
  const { image, base, plan } = own;
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
  { configs }: Cache,
): Promise<PayloadImage> {
  const { id, name } = image;
  const { platform, configDigest } = image.image;
  const config = await configs.find(configDigest);
  if (config === undefined) throw new IntegrityError(`image config ${configDigest} vanished from the cache`);
  const layers = plan.layers.map((layer) => payloadLayer(layer, changed, sizes));
  const usesBase = layers.some(({ content }) => content.kind !== 'full');
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
  return { kind: 'delta', from: diffID, fromSize: size, size: body.length, body, buffer: SMALLEST_BUFFER };
}
