import { IntegrityError, NotFoundError, UnsupportedError, UserError } from '../errors.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import { mayLeadToImage } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import type { ImageConfig, Index, Manifest, OddManifest } from '../oci/manifest.ts';
import { MOST_MANIFESTS, isImage, parseConfig } from '../oci/manifest.ts';
import { isIndexType } from '../oci/mediaTypes.ts';
import type { Platform } from '../oci/platform.ts';
import { choosePlatform, formatPlatform, samePlatform } from '../oci/platform.ts';
import type { Document } from './document.ts';

/** Reads what a descriptor below the image points to. Both throw if it is missing or damaged. */
export interface Reader {
  document(digest: Digest): Promise<Document>;
  config(descriptor: Descriptor): Promise<Buffer>;
}

/** An image of one platform with its parsed config. */
export interface Selected {
  /** Digest of the manifest. */
  digest: Digest;
  manifest: Manifest;
  config: ImageConfig;
  /** From the index, which may know the variant better than the config, or else from the config. */
  platform: Platform;
}

/**
 * Returns the image for `platform` in `top`, through nested indexes. Ignores entries that are no
 * image or are malformed. `name` is the image's, for messages. Throws NotFoundError that lists the
 * available platforms, and UnsupportedError if `top` is not an image or the entry for the platform
 * can't be used.
 */
export async function selectImage(
  top: Document,
  platform: Platform,
  reader: Reader,
  name: string,
): Promise<Selected> {
  const search = newSearch(reader, name);
  const declared = await fromDocument(top, [], search);
  const exact = declared.find((candidate) => samePlatform(candidate.platform, platform));
  const found = exact === undefined ? [...declared, ...(await readUnread(search, declared))] : declared;
  const chosen = found[choosePlatform(platformsOf(found), platform)];
  if (chosen === undefined) throw wrongPlatform(search, platform, found);
  return chosen.read();
}

/**
 * Returns the platforms of the images in `top`, through nested indexes. Throws UnsupportedError if
 * `top` is not an image.
 */
export async function imagePlatforms(top: Document, reader: Reader, name: string): Promise<Platform[]> {
  const search = newSearch(reader, name);
  const declared = await fromDocument(top, [], search);
  return platformsOf([...declared, ...(await readUnread(search, declared))]);
}

function newSearch(reader: Reader, name: string): Search {
  return { reader, name, left: MOST_MANIFESTS, odd: [], unread: [] };
}

interface Candidate {
  platform: Platform;
  read(): Promise<Selected>;
}

/** What is known while an image is searched. */
interface Search {
  reader: Reader;
  name: string;
  /** Documents that may still be read. */
  left: number;
  odd: OddManifest[];
  /** Entries whose platform only their config tells. They are read if no other entry fits. */
  unread: { descriptor: Descriptor; above: readonly Digest[] }[];
}

function platformsOf(candidates: readonly Candidate[]): Platform[] {
  return candidates.map(({ platform }) => platform);
}

async function fromIndex(index: Index, above: readonly Digest[], search: Search): Promise<Candidate[]> {
  const found: Candidate[] = [];
  for (const one of index.odd) search.odd.push(one);
  for (const descriptor of index.manifests) {
    if (!mayLeadToImage(descriptor)) continue;
    if (search.left-- <= 0)
      throw new UnsupportedError(`${search.name}: more than ${MOST_MANIFESTS} manifests`);
    if (above.includes(descriptor.digest)) {
      throw new IntegrityError(`${search.name}: the index ${descriptor.digest} contains itself`);
    }
    for (const one of await fromDescriptor(descriptor, above, search)) found.push(one);
  }
  return found;
}

async function fromDescriptor(
  descriptor: Descriptor,
  above: readonly Digest[],
  search: Search,
): Promise<Candidate[]> {
  const { platform, digest, mediaType } = descriptor;
  const { reader, name } = search;
  if (isIndexType(mediaType)) return fromDocument(await reader.document(digest), above, search);
  if (platform === undefined) {
    search.unread.push({ descriptor, above });
    return [];
  }
  const read = async (): Promise<Selected> => ({
    ...(await readImage(await reader.document(digest), reader, name)),
    platform,
  });
  return [{ platform, read }];
}

/**
 * Reads the entries without a platform. An error counts only if there is nothing else to choose
 * from.
 */
async function readUnread(search: Search, declared: readonly Candidate[]): Promise<Candidate[]> {
  const found: Candidate[] = [];
  const failures: unknown[] = [];
  // Indexes among them add entries of their own.
  for (const { descriptor, above } of search.unread) {
    try {
      for (const one of await fromDocument(await search.reader.document(descriptor.digest), above, search))
        found.push(one);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      failures.push(error);
    }
  }
  if (failures.length > 0 && found.length + declared.length === 0) throw failures[0];
  return found;
}

async function fromDocument(
  { content, digest }: Document,
  above: readonly Digest[],
  search: Search,
): Promise<Candidate[]> {
  if (content.kind === 'index') return fromIndex(content, [...above, digest], search);
  if (above.length > 0 && !isImage(content)) return [];
  const selected = await readConfig(content, digest, search.reader, search.name);
  return [{ platform: selected.platform, read: () => Promise.resolve(selected) }];
}

async function readImage({ content, digest }: Document, reader: Reader, name: string): Promise<Selected> {
  if (content.kind === 'manifest') return readConfig(content, digest, reader, name);
  throw new IntegrityError(`${name}: expected ${digest} to be a manifest, found an index`);
}

async function readConfig(
  manifest: Manifest,
  digest: Digest,
  reader: Reader,
  name: string,
): Promise<Selected> {
  if (!isImage(manifest)) {
    throw new UnsupportedError(`${name}: not a container image, but ${manifest.config.mediaType}`, {
      hint: 'check the name of the image',
    });
  }
  const bytes = await reader.config(manifest.config);
  const config = parseConfig(bytes, `${name}, config ${manifest.config.digest}`);
  return { digest, manifest, config, platform: config.platform };
}

function wrongPlatform({ name, odd }: Search, wanted: Platform, found: readonly Candidate[]): UserError {
  const unusable = odd.find(({ platform }) => platform !== undefined && samePlatform(platform, wanted));
  if (unusable !== undefined) {
    return new UnsupportedError(
      `${name}: the index has an entry for ${formatPlatform(wanted)} that can't be used: ${unusable.problem}`,
      { hint: 'push the image again with a current tool' },
    );
  }
  const available = [...new Set(platformsOf(found).map(formatPlatform))].sort();
  return new NotFoundError(
    `${name}: no image for ${formatPlatform(wanted)}; available: ${available.join(', ') || 'none'}`,
    { hint: 'choose another --platform, or build and push the image for this one' },
  );
}
