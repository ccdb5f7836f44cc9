import { UserError } from '../errors.ts';
import { mayLeadToImage } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import type { ResolvedImage } from '../oci/image.ts';
import type { ImageConfig, Index, Manifest } from '../oci/manifest.ts';
import { parseConfig, parseManifest } from '../oci/manifest.ts';
import { isIndexType } from '../oci/mediaTypes.ts';
import type { Platform } from '../oci/platform.ts';
import { choosePlatform, formatPlatform } from '../oci/platform.ts';

/** Documents that have the digests under which they are asked for. */
export interface Documents {
  /** Returns the bytes of a manifest or index. */
  manifest(digest: Digest): Promise<Buffer | undefined>;
  config(digest: Digest): Promise<Buffer | undefined>;
}

/**
 * Returns true if the documents lead from the digest of a manifest or index to exactly this image.
 * A record that somebody changed, and one whose documents are missing, leads to false.
 */
export async function isProven(
  image: ResolvedImage,
  digest: Digest,
  platform: Platform,
  documents: Documents,
): Promise<boolean> {
  const chosen = await choose(digest, platform, documents);
  if (chosen === undefined) return false;
  const { manifestDigest } = image;
  const isNamed = manifestDigest === undefined || [digest, chosen.digest].includes(manifestDigest);
  return isNamed && (await fitsManifest(image, chosen.digest, documents)) && fitsPlatform(image, chosen);
}

/** Returns true if the manifest names the image's config and blobs, and the config its layers. */
export async function fitsManifest(
  image: ResolvedImage,
  digest: Digest,
  documents: Documents,
): Promise<boolean> {
  const manifest = await readManifest(digest, documents);
  if (manifest?.kind !== 'manifest' || manifest.config.digest !== image.configDigest) return false;
  const namesBlobs = image.layers.every(({ descriptor }, position) => {
    const named = manifest.layers[position];
    return (
      descriptor === undefined || (named?.digest === descriptor.digest && named.size === descriptor.size)
    );
  });
  return namesBlobs && (await fitsConfig(image, documents));
}

/** Returns true if the config lists exactly the image's layers. */
export async function fitsConfig(
  { configDigest, layers }: ResolvedImage,
  documents: Documents,
): Promise<boolean> {
  const config = await readConfig(configDigest, documents);
  return config !== undefined && config.diffIDs.join() === layers.map(({ diffID }) => diffID).join();
}

/** The manifest that a digest means for one platform. */
interface Candidate {
  digest: Digest;
  platform: Platform;
}

function fitsPlatform({ platform }: ResolvedImage, chosen: Candidate): boolean {
  return formatPlatform(platform) === formatPlatform(chosen.platform);
}

async function choose(
  digest: Digest,
  platform: Platform,
  documents: Documents,
): Promise<Candidate | undefined> {
  const all = await candidatesBelow(digest, documents, []);
  return all?.[
    choosePlatform(
      all.map((candidate) => candidate.platform),
      platform,
    )
  ];
}

/** Returns undefined if a document is missing that might lead to a better image. */
async function candidatesBelow(
  digest: Digest,
  documents: Documents,
  above: readonly Digest[],
): Promise<Candidate[] | undefined> {
  const content = above.includes(digest) ? undefined : await readManifest(digest, documents);
  if (content?.kind === 'index') return candidatesIn(content, documents, [...above, digest]);
  const config = content && (await readConfig(content.config.digest, documents));
  return config && [{ digest, platform: config.platform }];
}

async function candidatesIn(
  { manifests }: Index,
  documents: Documents,
  above: readonly Digest[],
): Promise<Candidate[] | undefined> {
  const found: Candidate[] = [];
  for (const { digest, platform, mediaType } of manifests.filter(mayLeadToImage)) {
    const isLeaf = platform !== undefined && !isIndexType(mediaType);
    const below = isLeaf ? [{ digest, platform }] : await candidatesBelow(digest, documents, above);
    if (below === undefined) return undefined;
    for (const one of below) found.push(one);
  }
  return found;
}

async function readManifest(digest: Digest, documents: Documents): Promise<Index | Manifest | undefined> {
  const bytes = await documents.manifest(digest);
  return bytes && readable(() => parseManifest(bytes, `manifest ${digest}`));
}

async function readConfig(digest: Digest, documents: Documents): Promise<ImageConfig | undefined> {
  const bytes = await documents.config(digest);
  return bytes && readable(() => parseConfig(bytes, `config ${digest}`));
}

function readable<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}
