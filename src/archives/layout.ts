import { IntegrityError, NotFoundError } from '../errors.ts';
import type { Digest } from '../oci/digest.ts';
import type { ResolvedImage } from '../oci/image.ts';
import type { Found, LayoutBlob, LayoutFiles, LayoutImage } from './layoutFiles.ts';
import type { Root } from './layoutRoots.ts';
import { chooseRoots, rootsOf } from './layoutRoots.ts';
import { leavesOf } from './layoutLeaves.ts';
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
  files: LayoutFiles,
  request: LayoutRequest,
  where: string,
): Promise<LayoutImage> {
  const roots = chooseRoots(await rootsOf(files, where), request.reference, where);
  const found = await foundIn(files, roots, where);
  return onPlatform(pinned(found, request.reference, where), request.platform, where);
}

/**
 * True once `files`, of which more may still arrive, hold the manifest and config of the best image below `root` for the
 * platform: what arrives later can't change the choice. Throws nothing.
 */
export async function isDecided(
  files: LayoutFiles,
  root: Root,
  platform: Platform,
  where: string,
): Promise<boolean> {
  try {
    const { leaves, absent } = await leavesOf(files, root, where);
    const present = leaves.map(({ image }) => image.platform);
    const best = choosePlatform([...present, ...absent], platform);
    return best >= 0 && best < present.length;
  } catch {
    // A document has not arrived yet, or is broken: the search through the whole archive will say which.
    return false;
  }
}

async function foundIn(files: LayoutFiles, roots: readonly Root[], where: string): Promise<Found> {
  const parts = await Promise.all(roots.map((root) => leavesOf(files, root, where)));
  return { leaves: parts.flatMap(({ leaves }) => leaves), absent: parts.flatMap(({ absent }) => absent) };
}

function pinned(found: Found, { digest }: Reference, where: string): Found {
  if (digest === undefined) return found;
  const leaves = found.leaves.filter(({ digests }) => digests.includes(digest));
  if (leaves.length > 0) return { leaves, absent: found.absent };
  const inside = [...new Set(found.leaves.flatMap(({ digests }) => digests))];
  throw new IntegrityError(`${where}: expected the image ${digest}, found ${inside.join(', ') || 'none'}`, {
    hint: 'remove the digest from the reference, or use the archive of that very image',
  });
}

function onPlatform({ leaves, absent }: Found, platform: Platform, where: string): LayoutImage {
  const offered = leaves.map(({ image }) => image.platform);
  const chosen = leaves[choosePlatform(offered, platform)]?.image;
  if (chosen === undefined) throw wrongPlatform(offered, absent, platform, where);
  const same = leaves.filter(
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

/** One blob to deliver: where it is, and which digest it goes by. */
export interface LayoutDelivery {
  kind: 'config' | 'layer';
  /** The config's digest, or the layer's diffID. */
  digest: Digest;
  blob: LayoutBlob;
}

/** The blobs among `wanted` (config digest, diffIDs), each once, config first. */
export function deliveriesOf(image: LayoutImage, wanted: ReadonlySet<Digest>): LayoutDelivery[] {
  const layers = image.layers.map((layer): LayoutDelivery => ({
    kind: 'layer',
    digest: layer.diffID,
    blob: layer,
  }));
  const config: LayoutDelivery = { kind: 'config', digest: image.configDigest, blob: image.config };
  const once = new Map([config, ...layers].map((delivery) => [delivery.digest, delivery]));
  return [...once.values()].filter(({ digest }) => wanted.has(digest));
}

/** The image as every source describes it. */
export function resolvedFrom(image: LayoutImage, reference: Reference, source: string): ResolvedImage {
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
