import { IntegrityError, NotFoundError } from '../errors.ts';
import type { Digest } from '../oci/digest.ts';
import type { ResolvedImage } from '../oci/image.ts';
import type { ArchiveFiles, ArchiveImage, ImagesFound, WantedBlob } from './archive.ts';
import type { ArchiveEntry } from './entries.ts';
import { chooseEntries, readEntries } from './entries.ts';
import { imagesBelow } from './imagesBelow.ts';
import type { Platform } from '../oci/platform.ts';
import { choosePlatform, formatPlatform } from '../oci/platform.ts';
import type { Reference } from '../oci/reference.ts';

export interface LayoutRequest {
  reference: Reference;
  platform: Platform;
}

/**
 * Finds the image for a reference and platform: by digest, else by name, else the only image there is, whatever its name.
 * Throws NotFoundError that names what is inside, and IntegrityError for an archive that contradicts itself or for a digest in
 * the reference that the image does not bear. `where` names the archive.
 */
export async function findImage(
  files: ArchiveFiles,
  request: LayoutRequest,
  where: string,
): Promise<ArchiveImage> {
  const entries = chooseEntries(await readEntries(files, where), request.reference, where);
  const found = await foundIn(files, entries, where);
  return onPlatform(pinned(found, request.reference, where), request.platform, where);
}

/**
 * True once `files`, of which more may still arrive, hold the manifest and config of the best image below `entry` for the
 * platform: what arrives later can't change the choice. Throws nothing.
 */
export async function isDecided(
  files: ArchiveFiles,
  entry: ArchiveEntry,
  platform: Platform,
  where: string,
): Promise<boolean> {
  try {
    const { present, absent } = await imagesBelow(files, entry, where);
    const platforms = present.map(({ image }) => image.platform);
    const best = choosePlatform([...platforms, ...absent], platform);
    return best >= 0 && best < platforms.length;
  } catch {
    // A document has not arrived yet, or is broken: the search through the whole archive will say which.
    return false;
  }
}

async function foundIn(
  files: ArchiveFiles,
  entries: readonly ArchiveEntry[],
  where: string,
): Promise<ImagesFound> {
  const parts = await Promise.all(entries.map((entry) => imagesBelow(files, entry, where)));
  return { present: parts.flatMap(({ present }) => present), absent: parts.flatMap(({ absent }) => absent) };
}

function pinned(found: ImagesFound, { digest }: Reference, where: string): ImagesFound {
  if (digest === undefined) return found;
  const present = found.present.filter(({ digests }) => digests.includes(digest));
  if (present.length > 0) return { present, absent: found.absent };
  const inside = [...new Set(found.present.flatMap(({ digests }) => digests))];
  throw new IntegrityError(`${where}: expected the image ${digest}, found ${inside.join(', ') || 'none'}`, {
    hint: 'remove the digest from the reference, or use the archive of that very image',
  });
}

function onPlatform({ present, absent }: ImagesFound, platform: Platform, where: string): ArchiveImage {
  const offered = present.map(({ image }) => image.platform);
  const chosen = present[choosePlatform(offered, platform)]?.image;
  if (chosen === undefined) throw wrongPlatform(offered, absent, platform, where);
  const same = present.filter(
    ({ image }) => formatPlatform(image.platform) === formatPlatform(chosen.platform),
  );
  const rival = same.find(({ image }) => image.configDigest !== chosen.configDigest);
  if (rival === undefined) return chosen;
  throw new NotFoundError(
    `${where}: holds several images for ${formatPlatform(platform)} under one name: ${same
      .map(({ image }) => image.configDigest)
      .join(', ')}`,
    { hint: 'make an archive of the one image, or give each image a name' },
  );
}

function wrongPlatform(
  offered: readonly Platform[],
  absent: readonly Platform[],
  wanted: Platform,
  where: string,
): NotFoundError {
  const list = (platforms: readonly Platform[]): string =>
    [...new Set(platforms.map(formatPlatform))].sort().join(', ');
  const lists = absent.length === 0 ? '' : `; its index lists ${list(absent)} without the content`;
  return new NotFoundError(
    `${where}: no image for ${formatPlatform(wanted)}; available: ${list(offered) || 'none'}${lists}`,
    { hint: `build or pull it for ${formatPlatform(wanted)}, or choose another platform with --platform` },
  );
}

/** The blobs among `wanted` (config digest, diffIDs), each once, config first. */
export function wantedBlobs(image: ArchiveImage, wanted: ReadonlySet<Digest>): WantedBlob[] {
  const layers = image.layers.map((layer): WantedBlob => ({
    kind: 'layer',
    digest: layer.diffID,
    stored: layer,
  }));
  const config: WantedBlob = { kind: 'config', digest: image.configDigest, stored: image.config };
  const once = new Map([config, ...layers].map((delivery) => [delivery.digest, delivery]));
  return [...once.values()].filter(({ digest }) => wanted.has(digest));
}

/** The image as every source describes it. */
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
