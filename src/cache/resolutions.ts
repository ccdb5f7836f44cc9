import type { Digest } from '../oci/digest.ts';
import type { ImageRequest, ResolvedImage } from '../oci/image.ts';
import type { Platform } from '../oci/platform.ts';
import { readDocument, writeDocument } from './documents.ts';
import type { CacheLayout } from './layout.ts';

/** The image that a manifest or index digest stands for: a fact that never changes. */
export async function imageOfManifest(
  layout: CacheLayout,
  manifestDigest: Digest,
  platform: Platform,
): Promise<ResolvedImage | undefined> {
  return (await readDocument(layout.manifest(manifestDigest, platform))) as ResolvedImage | undefined;
}

/** What a name meant when it was last looked up; the name may mean something else by now. */
export async function imageOfTag(
  layout: CacheLayout,
  request: ImageRequest,
): Promise<ResolvedImage | undefined> {
  return (await readDocument(layout.tag(request.reference, request.platform))) as ResolvedImage | undefined;
}

/** Remembers what a name meant when it was looked up. */
export async function rememberTag(
  layout: CacheLayout,
  request: ImageRequest,
  image: ResolvedImage,
): Promise<void> {
  await writeDocument(layout.tag(request.reference, request.platform), image);
}

/** Remembers which image these manifest or index digests stand for. */
export async function rememberManifests(
  layout: CacheLayout,
  digests: Iterable<Digest | undefined>,
  platform: Platform,
  image: ResolvedImage,
): Promise<void> {
  for (const digest of new Set(digests)) {
    if (digest !== undefined) await writeDocument(layout.manifest(digest, platform), image);
  }
}
