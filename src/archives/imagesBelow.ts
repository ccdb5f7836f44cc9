import { IntegrityError, UnsupportedError } from '../errors.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import { mayLeadToImage } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import { digestOf } from '../oci/digest.ts';
import type { ImagesFound, ArchiveFiles, ArchiveImage, FoundImage } from './archive.ts';
import type { DockerEntry, ArchiveEntry } from './entries.ts';
import type { Manifest } from '../oci/manifest.ts';
import { MOST_MANIFESTS, isImage, parseConfig, parseManifest } from '../oci/manifest.ts';
import type { Platform } from '../oci/platform.ts';
import { pairLayers } from '../oci/layers.ts';
import { blobPath } from '../oci/portable.ts';

/** Indexes inside indexes. Real ones have two. */
const DEEPEST = 16;

/** What is known while an archive is searched. */
interface Search {
  files: ArchiveFiles;
  where: string;
  /** Manifests that may still be read. Nested indexes can list one of them any number of times. */
  left: number;
}

/**
 * Finds all images below the entries of an archive that one name chooses, through nested indexes.
 * Other content is only listed. Throws IntegrityError for damaged documents, and UnsupportedError
 * for more manifests than a registry's image may have.
 */
export async function imagesBelow(
  files: ArchiveFiles,
  entries: readonly ArchiveEntry[],
  where: string,
): Promise<ImagesFound> {
  const search: Search = { files, where, left: MOST_MANIFESTS };
  const parts: ImagesFound[] = [];
  for (const entry of entries) {
    parts.push(
      'item' in entry ? await dockerImage(search, entry.item) : await descend(search, entry.descriptor, []),
    );
  }
  return joinFound(parts);
}

const NOTHING: ImagesFound = { present: [], absent: [], odd: [], others: [] };

function joinFound(parts: readonly ImagesFound[]): ImagesFound {
  return {
    present: parts.flatMap(({ present }) => present),
    absent: parts.flatMap(({ absent }) => absent),
    odd: parts.flatMap(({ odd }) => odd),
    others: parts.flatMap(({ others }) => others),
  };
}

/** Throws UnsupportedError once the manifests are too many. */
function countManifest(search: Search): void {
  if (search.left-- > 0) return;
  throw new UnsupportedError(`${search.where}: more than ${MOST_MANIFESTS} manifests under one name`, {
    hint: 'make an archive of the one image',
  });
}

async function descend(
  search: Search,
  descriptor: Descriptor,
  above: readonly Digest[],
): Promise<ImagesFound> {
  if (!mayLeadToImage(descriptor)) return NOTHING;
  countManifest(search);
  const { files, where } = search;
  if (above.includes(descriptor.digest) || above.length > DEEPEST) {
    throw new IntegrityError(`${where}: the index ${descriptor.digest} contains itself`);
  }
  const bytes = await readChecked(files, descriptor, where);
  if (bytes === undefined) return { ...NOTHING, absent: absentPlatform(descriptor, above, where) };
  const document = parseManifest(bytes, `${where}: ${descriptor.digest}`, descriptor.mediaType);
  const digests = [...above, descriptor.digest];
  if (document.kind === 'manifest') {
    if (!isImage(document)) return { ...NOTHING, others: [document.config.mediaType] };
    return { ...NOTHING, present: [await ociImage(files, descriptor, document, digests, where)] };
  }
  const parts: ImagesFound[] = [{ ...NOTHING, odd: document.odd }];
  for (const child of document.manifests) parts.push(await descend(search, child, digests));
  return joinFound(parts);
}

/**
 * `docker save` keeps the index of all platforms, and the content of those that it has. At the top,
 * content must be in the archive.
 */
function absentPlatform(descriptor: Descriptor, above: readonly Digest[], where: string): Platform[] {
  if (above.length === 0) throw new IntegrityError(`${where}: ${blobPath(descriptor.digest)} is missing`);
  return descriptor.platform === undefined ? [] : [descriptor.platform];
}

async function ociImage(
  files: ArchiveFiles,
  descriptor: Descriptor,
  manifest: Manifest,
  digests: readonly Digest[],
  where: string,
): Promise<FoundImage> {
  const bytes = await readChecked(files, manifest.config, where);
  if (bytes === undefined) throw missing(blobPath(manifest.config.digest), where);
  const config = parseConfig(bytes, `${where}: config ${manifest.config.digest}`);
  const image: ArchiveImage = {
    platform: descriptor.platform ?? config.platform,
    configDigest: manifest.config.digest,
    manifestDigest: descriptor.digest,
    config: { path: blobPath(manifest.config.digest), descriptor: manifest.config },
    layers: pairLayers(config.diffIDs, manifest.layers, where).map(([diffID, layer]) => ({
      diffID,
      path: blobPath(layer.digest),
      descriptor: layer,
    })),
  };
  return { image, digests: [...digests, image.configDigest] };
}

async function dockerImage(search: Search, item: DockerEntry): Promise<ImagesFound> {
  countManifest(search);
  const { files, where } = search;
  const bytes = await files.read(item.config);
  if (bytes === undefined) throw missing(item.config, where);
  const configDigest = digestOf(bytes);
  checkNamedConfig(item.config, configDigest, where);
  const { platform, diffIDs } = parseConfig(bytes, `${where}: ${item.config}`);
  const layers = pairLayers(diffIDs, item.layers, where).map(([diffID, path]) => ({ diffID, path }));
  const config = { path: item.config, descriptor: { digest: configDigest, size: bytes.length } };
  const image: ArchiveImage = { platform, configDigest, config, layers };
  return { ...NOTHING, present: [{ image, digests: [configDigest] }] };
}

/**
 * Both layouts of `docker save` name the config by its digest: `<hex>.json` and
 * `blobs/sha256/<hex>`.
 */
function checkNamedConfig(path: string, found: Digest, where: string): void {
  const named = /(?:^|\/)([0-9a-f]{64})(?:\.json)?$/.exec(path)?.[1];
  if (named === undefined || found === `sha256:${named}`) return;
  throw new IntegrityError(`${where}: ${path}: expected sha256:${named}, found ${found}`);
}

async function readChecked(
  files: ArchiveFiles,
  { digest, size }: Descriptor,
  where: string,
): Promise<Uint8Array | undefined> {
  const bytes = await files.read(blobPath(digest));
  if (bytes === undefined) return undefined;
  if (bytes.length !== size) {
    throw new IntegrityError(`${where}: ${digest}: expected ${size} bytes, found ${bytes.length}`);
  }
  const found = digestOf(bytes);
  if (found !== digest) throw new IntegrityError(`${where}: expected ${digest}, found ${found}`);
  return bytes;
}

function missing(path: string, where: string): IntegrityError {
  return new IntegrityError(`${where}: ${path} is missing`, {
    hint: 'make the archive again, e.g. with skopeo copy or docker save',
  });
}
