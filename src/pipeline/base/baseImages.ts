import type { Cache } from '../../cache/cache.ts';
import type { ArtifactMetadata, ImageMetadata } from '../../cache/metadata.ts';
import { NotFoundError, UnsupportedError, messageOf, withSubject } from '../../errors.ts';
import type { Log } from '../../io/log.ts';
import { isLibraryReference } from '../../library/reference.ts';
import type { Digest } from '../../oci/digest.ts';
import type { ImageSource, ResolvedImage } from '../../oci/image.ts';
import type { Platform } from '../../oci/platform.ts';
import type { Reference } from '../../oci/reference.ts';
import { formatReference, parseReference, sameRepository } from '../../oci/reference.ts';
import type { Images } from '../images/images.ts';
import type { LocatedImage } from '../images/locate.ts';
import type { NewImage } from '../images/services.ts';

/** What a new artifact is built against. */
export interface Baseline {
  metadata: ArtifactMetadata;
  /** Why this one was chosen, for people. */
  origin: string;
  /** Asked before all others for the bytes of its images. */
  source?: ImageSource | undefined;
}

/** An image of the baseline, as devices have it. */
export interface BaseImage {
  /** Its name on the devices. */
  name: Reference;
  configDigest: Digest;
  /** DiffIDs, base first. */
  layers: readonly Digest[];
  metadata: ImageMetadata;
  /** Where its bytes may come from. */
  images: Images;
  /** Set if it had to be looked up already. */
  located?: LocatedImage | undefined;
}

/**
 * Returns the image of each service of the baseline. Leaves out, with a warning, an image whose
 * layers nobody knows any more.
 */
export async function findBaseImages(
  metadata: ArtifactMetadata,
  platform: Platform,
  images: Images,
  log: Log,
): Promise<Map<string, BaseImage>> {
  const entries = await Promise.all(
    Object.entries(metadata.services).map(async ([service, { image }]) => {
      const base = await findBaseImage(image, platform, images, log);
      if (base === undefined)
        log.warning(`${service}: the base image ${image.ref} is gone; shipping the new image whole`);
      return [service, base] as const;
    }),
  );
  return new Map(entries.filter((entry): entry is [string, BaseImage] => entry[1] !== undefined));
}

async function findBaseImage(
  metadata: ImageMetadata,
  platform: Platform,
  images: Images,
  log: Log,
): Promise<BaseImage | undefined> {
  const name = parseReference(metadata.ref);
  const known = metadata.layers?.map(({ diffID }) => diffID);
  if (known) return { name, configDigest: metadata.hash, layers: known, metadata, images };
  const located = await locateBaseImage(metadata, platform, images, log);
  if (located === undefined) return undefined;
  const { configDigest, layers } = located.image;
  return { name, configDigest, layers: layers.map(({ diffID }) => diffID), metadata, images, located };
}

/**
 * Finds a base image again: by its manifest digest, then by its name if the name still means the
 * same image.
 */
export async function locateBaseImage(
  metadata: ImageMetadata,
  platform: Platform,
  images: Images,
  log: Log,
): Promise<LocatedImage | undefined> {
  const { places, references } = placesOf(metadata, images);
  for (const reference of references) {
    const located = await locateIfThere(reference, platform, places, log);
    if (located && isSame(metadata, located.image)) return located;
  }
  return undefined;
}

function placesOf(metadata: ImageMetadata, images: Images): { places: Images; references: Reference[] } {
  if (metadata.found !== undefined && isLibraryReference(metadata.found)) {
    const { name, source } = images.library(metadata.found);
    return { places: images.only(source), references: [name] };
  }
  const named = parseReference(metadata.found ?? metadata.ref);
  const byDigest = metadata.manifestDigest && { ...named, digest: metadata.manifestDigest };
  return { places: images, references: byDigest ? [byDigest, named] : [named] };
}

async function locateIfThere(
  reference: Reference,
  platform: Platform,
  images: Images,
  log: Log,
): Promise<LocatedImage | undefined> {
  try {
    return await images.locate({ reference, platform });
  } catch (error) {
    if (!(error instanceof NotFoundError || error instanceof UnsupportedError)) {
      throw withSubject(error, `the base image ${formatReference(reference)}`);
    }
    log.debug(`base image: ${messageOf(error)}`);
    return undefined;
  }
}

/** Metadata of other tools may have the manifest digest where ours has the config digest. */
function isSame({ hash }: ImageMetadata, found: ResolvedImage): boolean {
  return hash === found.configDigest || hash === found.manifestDigest;
}

/** Why a base image is compared with a new image. */
export type BaseReason = 'the same content' | 'the same repository' | 'the same service';

/** Returns why `chooseBase` chooses a base image. Pure. */
export function baseReason(
  image: { name: Reference; image: { configDigest: Digest } },
  { name, configDigest }: Pick<BaseImage, 'name' | 'configDigest'>,
): BaseReason {
  if (configDigest === image.image.configDigest) return 'the same content';
  return sameRepository(name, image.name) ? 'the same repository' : 'the same service';
}

/**
 * Chooses the base image that `image` is built against: one with the same content, else of the same
 * repository, else of the same service. Of several, one of the same service. Pure.
 */
export function chooseBase<T extends Pick<BaseImage, 'name' | 'configDigest'>>(
  image: Pick<NewImage, 'services' | 'name'> & { image: { configDigest: Digest } },
  bases: ReadonlyMap<string, T>,
): T | undefined {
  const own = image.services.map((service) => bases.get(service)).filter((base) => base !== undefined);
  const all = [...own, ...bases.values()];
  const same = all.find(({ configDigest }) => configDigest === image.image.configDigest);
  return same ?? all.find(({ name }) => sameRepository(name, image.name)) ?? own[0];
}

/** Returns the bytes of each layer of the base image, if it is known without reading the layer. */
export async function knownSizes(
  { metadata, layers }: BaseImage,
  cache: Pick<Cache, 'layers'>,
): Promise<Map<Digest, number>> {
  const sizes = new Map<Digest, number>();
  for (const { diffID, size } of metadata.layers ?? []) if (size !== undefined) sizes.set(diffID, size);
  for (const diffID of layers) {
    const size = await cache.layers.sizeOf(diffID);
    if (size !== undefined) sizes.set(diffID, size);
  }
  return sizes;
}
