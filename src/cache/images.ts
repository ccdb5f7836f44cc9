import { UsageError } from '../errors.ts';
import type { Digest } from '../oci/digest.ts';
import type { ResolvedImage } from '../oci/image.ts';
import type { Platform } from '../oci/platform.ts';
import type { Reference } from '../oci/reference.ts';
import { readNote, writeDocument } from './documents.ts';
import type { CacheLayout } from './layout.ts';
import { RESOLVED_IMAGE } from './schemas.ts';

/**
 * What a cache remembers of images that were looked up, each for one platform. A manifest digest and a file digest always
 * mean the same image. A name may mean another image by now.
 */
export class ImageNotes {
  readonly #layout: CacheLayout;

  constructor(layout: CacheLayout) {
    this.#layout = layout;
  }

  /** Returns the image behind the digest of a manifest or index at a registry. */
  findByManifest(digest: Digest, platform: Platform): Promise<ResolvedImage | undefined> {
    return readNote(this.#layout.manifest(digest, platform), RESOLVED_IMAGE);
  }

  rememberManifest(digest: Digest, platform: Platform, image: ResolvedImage): Promise<void> {
    return writeIfWritable(this.#layout.manifest(digest, platform), image);
  }

  /** Returns the image that a name meant when it was last looked up. */
  findByName(reference: Reference, platform: Platform): Promise<ResolvedImage | undefined> {
    return readNote(this.#layout.tag(reference, platform), RESOLVED_IMAGE);
  }

  rememberName(reference: Reference, platform: Platform, image: ResolvedImage): Promise<void> {
    return writeIfWritable(this.#layout.tag(reference, platform), image);
  }

  /** Returns the image in a file of a container library. */
  findByLibraryFile(digest: Digest, platform: Platform): Promise<ResolvedImage | undefined> {
    return readNote(this.#layout.libraryImage(digest, platform), RESOLVED_IMAGE);
  }

  rememberLibraryFile(digest: Digest, platform: Platform, image: ResolvedImage): Promise<void> {
    return writeIfWritable(this.#layout.libraryImage(digest, platform), image);
  }
}

/** If the cache can't be written, the image is only looked up again. A build reports the fault when it stores layers. */
async function writeIfWritable(path: string, image: ResolvedImage): Promise<void> {
  await writeDocument(path, image).catch((error: unknown) => {
    if (!(error instanceof UsageError)) throw error;
  });
}
