import { IntegrityError, NotFoundError, UnsupportedError } from '../errors.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import { mayLeadToImage } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import type { ImageConfig, Index, Manifest } from '../oci/manifest.ts';
import { isImage, parseConfig } from '../oci/manifest.ts';
import { isIndexType } from '../oci/mediaTypes.ts';
import type { Platform } from '../oci/platform.ts';
import { choosePlatform, formatPlatform } from '../oci/platform.ts';
import type { Document } from './document.ts';

/** Reads what a descriptor below the image points to; both throw what is missing or damaged. */
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
  /** As the index has it, which may know the variant better than the config; else the config's. */
  platform: Platform;
}

/** More manifests than this below one reference are no honest image. */
const MOST_DOCUMENTS = 200;

/**
 * The image for `platform` in `top`, through nested indexes, past what is no image. Throws NotFoundError that names what
 * platforms there are, UnsupportedError where `top` is no image. `name` is the image's, for messages.
 */
export async function selectImage(
  top: Document,
  platform: Platform,
  reader: Reader,
  name: string,
): Promise<Selected> {
  const found = await candidates(top, reader, name);
  const position = choosePlatform(
    found.map((candidate) => candidate.platform),
    platform,
  );
  const chosen = found[position];
  if (chosen === undefined) throw wrongPlatform(name, platform, found);
  return chosen.read();
}

interface Candidate {
  platform: Platform;
  read(): Promise<Selected>;
}

async function candidates(top: Document, reader: Reader, name: string): Promise<Candidate[]> {
  return fromDocument(top, [], reader, name, { left: MOST_DOCUMENTS });
}

async function collect(
  index: Index,
  above: readonly Digest[],
  reader: Reader,
  name: string,
  budget: { left: number },
): Promise<Candidate[]> {
  const found: Candidate[] = [];
  for (const descriptor of index.manifests) {
    if (!mayLeadToImage(descriptor)) continue;
    if (budget.left-- <= 0) throw new UnsupportedError(`${name}: more than ${MOST_DOCUMENTS} manifests`);
    if (above.includes(descriptor.digest)) {
      throw new IntegrityError(`${name}: the index ${descriptor.digest} contains itself`);
    }
    found.push(...(await fromDescriptor(descriptor, above, reader, name, budget)));
  }
  return found;
}

async function fromDescriptor(
  descriptor: Descriptor,
  above: readonly Digest[],
  reader: Reader,
  name: string,
  budget: { left: number },
): Promise<Candidate[]> {
  const { platform, digest, mediaType } = descriptor;
  if (platform !== undefined && !isIndexType(mediaType)) {
    const read = async (): Promise<Selected> => ({
      ...(await readImage(await reader.document(digest), reader, name)),
      platform,
    });
    return [{ platform, read }];
  }
  return fromDocument(await reader.document(digest), above, reader, name, budget);
}

async function fromDocument(
  { content, digest }: Document,
  above: readonly Digest[],
  reader: Reader,
  name: string,
  budget: { left: number },
): Promise<Candidate[]> {
  if (content.kind === 'index') return collect(content, [...above, digest], reader, name, budget);
  if (above.length > 0 && !isImage(content)) return [];
  const selected = await readConfig(content, digest, reader, name);
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
    throw new UnsupportedError(`${name}: no container image, but a ${manifest.config.mediaType}`);
  }
  const bytes = await reader.config(manifest.config);
  const config = parseConfig(bytes, `${name}, config ${manifest.config.digest}`);
  return { digest, manifest, config, platform: config.platform };
}

function wrongPlatform(name: string, wanted: Platform, found: readonly Candidate[]): NotFoundError {
  const available = [...new Set(found.map(({ platform }) => formatPlatform(platform)))].sort();
  return new NotFoundError(
    `${name}: no image for ${formatPlatform(wanted)}; there is ${available.join(', ') || 'none at all'}`,
    { hint: 'choose another --platform, or build and push the image for this one' },
  );
}
