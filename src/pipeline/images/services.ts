import type { Digest } from '../../oci/digest.ts';
import { hexOf } from '../../oci/digest.ts';
import type { Platform } from '../../oci/platform.ts';
import type { Reference } from '../../oci/reference.ts';
import { canonicalReference, deviceReference, formatReference, parseReference } from '../../oci/reference.ts';
import { isLibraryReference } from '../../library/reference.ts';
import type { ResolvedImage } from '../../oci/image.ts';
import type { LocatedImage } from './locate.ts';
import type { Images } from './images.ts';

/** The image that a service asks for. */
export interface ServiceImage {
  service: string;
  /** As the Compose file or -i names it. A service that is only built has none. */
  image?: string | undefined;
  /** An image archive that replaces the image. */
  archive?: string | undefined;
}

/** One image of the new artifact and the services that run it. */
export interface NewImage extends LocatedImage {
  /** Unique in the artifact: the config digest in hex. */
  id: string;
  /** The name on the devices and in the shipped Compose file. */
  name: Reference;
  /** Sorted. */
  services: string[];
  /** What the reference of each service was resolved to. The content is that of `image`. */
  resolved: ReadonlyMap<string, ResolvedImage>;
}

/**
 * Returns the services with the images of -i and the archives of -f. Ignores names of other
 * services.
 */
export function overrideImages(
  services: readonly ServiceImage[],
  images: ReadonlyMap<string, string>,
  archives: ReadonlyMap<string, string>,
): ServiceImage[] {
  return services.map(({ service, image, archive }) => ({
    service,
    image: images.get(service) ?? image,
    archive: archives.get(service) ?? archive,
  }));
}

/**
 * Finds the image of every service, each distinct image once. `application` names the images that
 * have no name of their own. Throws what the sources throw, and NotFoundError.
 */
export async function resolveServices(
  services: readonly ServiceImage[],
  platform: Platform,
  application: string,
  images: Images,
): Promise<NewImage[]> {
  const found = new Map<string, Promise<LocatedImage>>();
  const locateOnce = ({ reference, images: from, key }: Lookup): Promise<LocatedImage> => {
    const pending = found.get(key) ?? from.locate({ reference, platform });
    found.set(key, pending);
    return pending;
  };
  const resolved = await Promise.all(
    services.map(async (service) => ({
      service: service.service,
      ...(await locateOnce(lookupOf(service, application, images))),
    })),
  );
  return groupImages(resolved);
}

/** Where to look for the image of a service, and under which name. */
interface Lookup {
  reference: Reference;
  images: Images;
  /** Equal for equal images. */
  key: string;
}

function lookupOf({ service, image, archive }: ServiceImage, application: string, images: Images): Lookup {
  const text = image ?? localName(application, service);
  const file = isLibraryReference(text) ? images.library(text) : undefined;
  // A digest in the reference holds for an archive as well, which is compared with it.
  const reference = file?.name ?? parseReference(text);
  const source = archive === undefined ? file?.source : images.archive(archive);
  const key = `${source?.name ?? ''} ${canonicalReference(reference)}`;
  return { reference, images: source === undefined ? images : images.only(source), key };
}

/** Names of projects and services may begin and end with characters that image names must not. */
function localName(application: string, service: string): string {
  const part = (text: string): string => {
    const words = text.toLowerCase().match(/[a-z0-9]+/g) ?? ['service'];
    return words.join('-');
  };
  return `${part(application)}/${part(service)}:local`;
}

/**
 * Makes one image of each content, with one name, because module `app` removes the names of the
 * version before: with two names for an image that stays, it would remove the one in use. If two
 * images have the same name, all but the first get a name of their own. Pure.
 */
export function groupImages(resolved: readonly (LocatedImage & { service: string })[]): NewImage[] {
  const images = new Map<Digest, NewImage & { resolved: Map<string, ResolvedImage> }>();
  const names = new Set<string>();
  for (const { service, ...located } of [...resolved].sort((a, b) => (a.service < b.service ? -1 : 1))) {
    const { image } = located;
    const same = images.get(image.configDigest);
    if (same) {
      same.services.push(service);
      same.resolved.set(service, image);
    } else {
      const name = freeName(names, image);
      names.add(formatReference(name));
      const id = hexOf(image.configDigest);
      const resolved = new Map([[service, image]]);
      images.set(image.configDigest, { ...located, id, name, services: [service], resolved });
    }
  }
  return [...images.values()];
}

function freeName(taken: ReadonlySet<string>, { reference, configDigest }: ResolvedImage): Reference {
  const name = deviceReference(reference);
  if (!taken.has(formatReference(name))) return name;
  return { ...name, tag: `${(name.tag ?? 'latest').slice(0, 100)}-${hexOf(configDigest).slice(0, 12)}` };
}
