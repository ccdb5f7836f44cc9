import type { Digest } from '../oci/digest.ts';
import type { ResolvedImage } from '../oci/image.ts';
import type { Platform } from '../oci/platform.ts';
import { readDocument, writeDocument } from './documents.ts';
import type { CacheLayout } from './layout.ts';

/** The image that a library's file with this digest holds: a fact that never changes, so the file need not be here. */
export async function imageOfLibraryFile(
  layout: CacheLayout,
  fileDigest: Digest,
  platform: Platform,
): Promise<ResolvedImage | undefined> {
  return (await readDocument(layout.libraryImage(fileDigest, platform))) as ResolvedImage | undefined;
}

/** Remembers which image the file holds. */
export async function rememberLibraryImage(
  layout: CacheLayout,
  fileDigest: Digest,
  platform: Platform,
  image: ResolvedImage,
): Promise<void> {
  await writeDocument(layout.libraryImage(fileDigest, platform), image);
}
