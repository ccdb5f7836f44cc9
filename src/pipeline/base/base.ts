import type { ArtifactMetadata, ImageMetadata } from '../../cache/metadata.ts';
import { layerSize } from '../../cache/layers.ts';
import { NotFoundError, UnsupportedError, messageOf } from '../../errors.ts';
import { isLibraryReference } from '../../library/reference.ts';
import type { Digest } from '../../oci/digest.ts';
import type { ImageSource, ResolvedImage } from '../../oci/image.ts';
import type { Platform } from '../../oci/platform.ts';
import type { Reference } from '../../oci/reference.ts';
import { parseReference, sameRepository } from '../../oci/reference.ts';
import type { LocatedImage } from '../images/locate.ts';
import { locate } from '../images/locate.ts';
import type { NewImage } from '../images/services.ts';
import type { World } from '../images/world.ts';

/** An image of the previous artifact, as the devices hold it. */
export interface BaseImage {
  /** The name that it bears on the devices. */
  name: Reference;
  configDigest: Digest;
  /** Base first, diffIDs. */
  layers: readonly Digest[];
}

/** What a new artifact is built against. */
export interface Baseline {
  metadata: ArtifactMetadata;
  /** Why this one, for people. */
  origin: string;
  /** Asked before all others for the bytes of its images. */
  source?: ImageSource;
}

/** An image of the previous artifact with what is needed to get its bytes again. */
export interface PreviousImage extends BaseImage {
  metadata: ImageMetadata;
  /** Asked in order for its bytes. */
  sources: readonly ImageSource[];
  /** Set once it had to be looked up. */
  located?: LocatedImage;
}

/** The image of each service of the previous artifact; one whose layers nobody knows any more is left out with a warning. */
export async function previousImages(
  metadata: ArtifactMetadata,
  platform: Platform,
  world: Pick<World, 'sources' | 'library' | 'log' | 'signal'>,
): Promise<Map<string, PreviousImage>> {
  const entries = await Promise.all(
    Object.entries(metadata.services).map(async ([service, { image }]) => {
      const previous = await previousImage(image, platform, world);
      if (previous === undefined)
        world.log.warning(`${service}: the previous image ${image.ref} is gone; shipping it whole`);
      return [service, previous] as const;
    }),
  );
  return new Map(entries.filter((entry): entry is [string, PreviousImage] => entry[1] !== undefined));
}

async function previousImage(
  image: ImageMetadata,
  platform: Platform,
  world: Pick<World, 'sources' | 'library' | 'log' | 'signal'>,
): Promise<PreviousImage | undefined> {
  const name = parseReference(image.ref);
  const { sources } = world;
  const known = image.layers?.map(({ diffID }) => diffID);
  if (known) return { name, configDigest: image.hash, layers: known, metadata: image, sources };
  const located = await locatePrevious(image, platform, world);
  return located && { ...baseOf(name, located.image), metadata: image, sources, located };
}

function baseOf(name: Reference, image: ResolvedImage): BaseImage {
  return { name, configDigest: image.configDigest, layers: image.layers.map(({ diffID }) => diffID) };
}

/** Finds a previous image again: by its manifest digest, then by its name if that still means the same image. */
export async function locatePrevious(
  image: ImageMetadata,
  platform: Platform,
  world: Pick<World, 'sources' | 'library' | 'log' | 'signal'>,
): Promise<LocatedImage | undefined> {
  if (image.found !== undefined && isLibraryReference(image.found)) {
    const { name, source } = world.library(image.found);
    const located = await tryToLocate(name, platform, { ...world, sources: [source] });
    return located && isSame(image, located.image) ? located : undefined;
  }
  const named = parseReference(image.found ?? image.ref);
  const byDigest = image.manifestDigest && { ...named, digest: image.manifestDigest };
  for (const reference of byDigest ? [byDigest, named] : [named]) {
    const located = await tryToLocate(reference, platform, world);
    if (located && isSame(image, located.image)) return located;
  }
  return undefined;
}

async function tryToLocate(
  reference: Reference,
  platform: Platform,
  world: Pick<World, 'sources' | 'library' | 'log' | 'signal'>,
): Promise<LocatedImage | undefined> {
  try {
    return await locate(world.sources, { reference, platform }, world.log, world.signal);
  } catch (error) {
    if (!(error instanceof NotFoundError || error instanceof UnsupportedError)) throw error;
    world.log.debug(`previous image: ${messageOf(error)}`);
    return undefined;
  }
}

/** Another tool's metadata may name the manifest where ours names the config. */
function isSame(image: ImageMetadata, found: ResolvedImage): boolean {
  return image.hash === found.configDigest || image.hash === found.manifestDigest;
}

/**
 * The previous image that `image` is built against: the same content, else the same repository, else the same service; of
 * several that of the same service. Pure.
 */
export function chooseBase(
  image: Pick<NewImage, 'services' | 'name'> & { image: { configDigest: Digest } },
  previous: ReadonlyMap<string, PreviousImage>,
): PreviousImage | undefined {
  const own = image.services.map((service) => previous.get(service)).filter((base) => base !== undefined);
  const all = [...own, ...previous.values()];
  const same = all.find(({ configDigest }) => configDigest === image.image.configDigest);
  return same ?? all.find(({ name }) => sameRepository(name, image.name)) ?? own[0];
}

/** Bytes of each layer of the previous image, as far as they are known without reading one. */
export async function knownSizes(base: PreviousImage, world: World): Promise<Map<Digest, number>> {
  const sizes = new Map<Digest, number>();
  for (const { diffID, size } of base.metadata.layers ?? []) if (size !== undefined) sizes.set(diffID, size);
  for (const diffID of base.layers) {
    const size = await layerSize(world.cache, diffID);
    if (size !== undefined) sizes.set(diffID, size);
  }
  return sizes;
}
