import { IntegrityError, NotFoundError, UnsupportedError } from '../errors.ts';
import type { UserError } from '../errors.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import type { ImageRequest, ResolvedImage } from '../oci/image.ts';
import { checkForms } from '../oci/layers.ts';
import type { Platform } from '../oci/platform.ts';
import { choosePlatform, formatPlatform, samePlatform } from '../oci/platform.ts';
import type { Reference } from '../oci/reference.ts';
import type { ArchiveFiles, ArchiveImage, ImagesFound, WantedBlob } from './archive.ts';
import type { ArchiveEntry } from './entries.ts';
import { chooseEntries, readEntries } from './entries.ts';
import { imagesBelow } from './imagesBelow.ts';

/**
 * Finds the image for a reference and platform: by digest, else by name, else the only image of the
 * archive, whatever its name. Throws NotFoundError that lists the archive's content, IntegrityError
 * for an archive that contradicts itself or for a digest in the reference that the image does not
 * have, and UnsupportedError for layers that are not tars. `where` names the archive.
 */
export async function findImage(
  files: ArchiveFiles,
  { reference, platform }: ImageRequest,
  where: string,
): Promise<ArchiveImage> {
  const entries = chooseEntries(await readEntries(files, where), reference, where);
  const found = await imagesBelow(files, entries, where);
  const image = chooseImage(onlyPinned(found, reference, where), platform, where);
  const described = image.layers.filter((layer) => layer.descriptor !== undefined);
  checkForms(
    described.map(({ descriptor }) => descriptor as Descriptor),
    where,
  );
  return image;
}

/**
 * True if `files` hold the manifest and config of the best image below the entry for the platform.
 * More files may still arrive, but they can't change the choice. Throws nothing.
 */
export async function isDecided(
  files: ArchiveFiles,
  entry: ArchiveEntry,
  platform: Platform,
  where: string,
): Promise<boolean> {
  try {
    const { present, absent } = await imagesBelow(files, [entry], where);
    const platforms = present.map(({ image }) => image.platform);
    const best = choosePlatform([...platforms, ...absent], platform);
    return best >= 0 && best < platforms.length;
  } catch {
    // A document has not arrived yet, or it is broken. The search through the whole archive says
    // which.
    return false;
  }
}

function onlyPinned(found: ImagesFound, { digest }: Reference, where: string): ImagesFound {
  if (digest === undefined) return found;
  const present = found.present.filter(({ digests }) => digests.includes(digest));
  if (present.length > 0) return { ...found, present };
  const inside = [...new Set(found.present.flatMap(({ digests }) => digests))];
  throw new IntegrityError(`${where}: expected the image ${digest}, found ${inside.join(', ') || 'none'}`, {
    hint: ({ option }) =>
      `use the archive of exactly that image (docker save does not keep the digest of a manifest; an OCI archive does), or name the image without the digest, with ${option('service-image', 'SERVICE=IMAGE')}`,
  });
}

function chooseImage(found: ImagesFound, platform: Platform, where: string): ArchiveImage {
  const { present } = found;
  const offered = present.map(({ image }) => image.platform);
  const chosen = present[choosePlatform(offered, platform)]?.image;
  if (chosen === undefined) throw noImage(found, platform, where);
  const same = present.filter(({ image }) => samePlatform(image.platform, chosen.platform));
  const rival = same.find(({ image }) => image.configDigest !== chosen.configDigest);
  if (rival === undefined) return chosen;
  throw new NotFoundError(
    `${where}: holds several images for ${formatPlatform(platform)} under one name: ${same
      .map(({ image }) => image.configDigest)
      .join(', ')}`,
    { hint: 'make an archive of the one image, or give each image a name' },
  );
}

function noImage({ present, absent, odd, others }: ImagesFound, wanted: Platform, where: string): UserError {
  const unusable = odd.find(({ platform }) => platform !== undefined && samePlatform(platform, wanted));
  if (unusable !== undefined) {
    return new UnsupportedError(
      `${where}: the index has an entry for ${formatPlatform(wanted)} that can't be used: ${unusable.problem}`,
    );
  }
  const [other] = others;
  if (other !== undefined && present.length + absent.length === 0) {
    return new UnsupportedError(`${where}: not a container image, but ${other}`, {
      hint: 'give the archive of an image',
    });
  }
  const offered = present.map(({ image }) => image.platform);
  const list = (platforms: readonly Platform[]): string =>
    [...new Set(platforms.map(formatPlatform))].sort().join(', ');
  const lists = absent.length === 0 ? '' : `; its index lists ${list(absent)} without the content`;
  return new NotFoundError(
    `${where}: no image for ${formatPlatform(wanted)}; available: ${list(offered) || 'none'}${lists}`,
    {
      hint: ({ option }) =>
        `build or pull it for ${formatPlatform(wanted)}, or choose another platform with ${option('platform')}`,
    },
  );
}

/** Returns the blobs among `wanted` (config digest, diffIDs), each once, config first. */
export function wantedBlobs(image: ArchiveImage, wanted: ReadonlySet<Digest>): WantedBlob[] {
  const layers = image.layers.map((layer): WantedBlob => ({
    kind: 'layer',
    digest: layer.diffID,
    stored: layer,
  }));
  const config: WantedBlob = { kind: 'config', digest: image.configDigest, stored: image.config };
  const once = new Map([config, ...layers].map((blob) => [blob.digest, blob]));
  return [...once.values()].filter(({ digest }) => wanted.has(digest));
}

/** Describes the image as all sources do. */
export function resolvedImage(image: ArchiveImage, reference: Reference, source: string): ResolvedImage {
  const { platform, configDigest, manifestDigest } = image;
  return {
    reference,
    platform,
    configDigest,
    ...(manifestDigest === undefined ? {} : { manifestDigest }),
    layers: image.layers.map(({ diffID, descriptor }) => ({
      diffID,
      ...(descriptor === undefined ? {} : { descriptor }),
    })),
    source,
  };
}
