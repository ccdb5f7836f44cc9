import type { Digest } from '../../oci/digest.ts';
import { hexOf } from '../../oci/digest.ts';
import type { Platform } from '../../oci/platform.ts';
import type { Reference } from '../../oci/reference.ts';
import { canonicalReference, deviceReference, formatReference, parseReference } from '../../oci/reference.ts';
import { isLibraryReference } from '../../library/reference.ts';
import type { ImageSource, ResolvedImage } from '../../oci/image.ts';
import type { LocatedImage } from './locate.ts';
import { locate } from './locate.ts';
import type { World } from './world.ts';

/** A service of the manifest, as far as images matter. */
export interface ServiceImage {
  service: string;
  /** As the manifest or -i names it; absent for a service that is only built. */
  image?: string;
  /** An image archive that replaces the image. */
  archive?: string;
}

/** One image of the new artifact and the services that run it. */
export interface NewImage extends LocatedImage {
  /** Unique in the artifact: the config digest in hex. */
  id: string;
  /** The name that it bears on the devices and in the shipped manifest. */
  name: Reference;
  /** Sorted. */
  services: string[];
}

/** The services with what -i and -f put in place of their images; names of other services are ignored. */
export function overrideImages(
  services: readonly ServiceImage[],
  images: ReadonlyMap<string, string>,
  archives: ReadonlyMap<string, string>,
): ServiceImage[] {
  return services.map((service) => {
    const image = images.get(service.service);
    const archive = archives.get(service.service);
    return {
      ...service,
      ...(image === undefined ? {} : { image }),
      ...(archive === undefined ? {} : { archive }),
    };
  });
}

/**
 * Finds the image of every service, each distinct image once. `application` names what has no name of its own.
 * Throws what the sources throw, and NotFoundError.
 */
export async function resolveServices(
  services: readonly ServiceImage[],
  platform: Platform,
  application: string,
  world: World,
): Promise<NewImage[]> {
  const found = new Map<string, Promise<LocatedImage>>();
  const find = ({ reference, sources, key }: Lookup): Promise<LocatedImage> => {
    const pending = found.get(key) ?? locate(sources, { reference, platform }, world.log, world.signal);
    found.set(key, pending);
    return pending;
  };
  const resolved = await Promise.all(
    services.map(async (service) => ({
      service: service.service,
      ...(await find(lookupOf(service, application, world))),
    })),
  );
  return groupImages(resolved);
}

/** Where to look for the image of a service, and under which name. */
interface Lookup {
  reference: Reference;
  sources: readonly ImageSource[];
  /** The same for the same image. */
  key: string;
}

function lookupOf({ service, image, archive }: ServiceImage, application: string, world: World): Lookup {
  const text = image ?? localName(application, service);
  const file = isLibraryReference(text) ? world.library(text) : undefined;
  const { digest, ...named } = file?.name ?? parseReference(text);
  // An archive stands in for what the manifest pins.
  const reference = digest === undefined || archive !== undefined ? named : { ...named, digest };
  const source = archive === undefined ? file?.source : world.archive(archive);
  const key = `${source?.name ?? ''} ${canonicalReference(reference)}`;
  return { reference, sources: source === undefined ? world.sources : [source], key };
}

/** Names of projects and services may begin and end with characters that no part of an image's name can. */
function localName(application: string, service: string): string {
  const part = (text: string): string => {
    const words = text.toLowerCase().match(/[a-z0-9]+/g) ?? ['service'];
    return words.join('-');
  };
  return `${part(application)}/${part(service)}:local`;
}

/**
 * One image per content: module `app` removes the names of the version before, and a second name of an image that stays lets
 * it take away the first. Where one name would mean two images, all but the first get a name of their own.
 */
export function groupImages(resolved: readonly (LocatedImage & { service: string })[]): NewImage[] {
  const images = new Map<Digest, NewImage>();
  for (const { service, ...located } of [...resolved].sort((a, b) => (a.service < b.service ? -1 : 1))) {
    const { configDigest } = located.image;
    const same = images.get(configDigest);
    if (same) same.services.push(service);
    else {
      const name = freeName([...images.values()], located.image);
      images.set(configDigest, { id: hexOf(configDigest), name, services: [service], ...located });
    }
  }
  return [...images.values()];
}

function freeName(images: readonly NewImage[], { reference, configDigest }: ResolvedImage): Reference {
  // What stands in for a pinned image has neither tag nor digest.
  const name = deviceReference({ digest: configDigest, ...reference });
  const isFree = images.every((image) => formatReference(image.name) !== formatReference(name));
  if (isFree) return name;
  return { ...name, tag: `${(name.tag ?? 'latest').slice(0, 100)}-${hexOf(configDigest).slice(0, 12)}` };
}
