import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UsageError, systemCodeOf } from '../errors.ts';
import type { Digest } from '../oci/digest.ts';
import { digestOf } from '../oci/digest.ts';
import type { ResolvedImage } from '../oci/image.ts';
import type { Platform } from '../oci/platform.ts';
import { formatPlatform, parsePlatform } from '../oci/platform.ts';
import type { Reference } from '../oci/reference.ts';
import { readOwnBytes, writeInCache } from './files.ts';
import { readNote, writeDocument } from './documents.ts';
import type { Documents } from './imageProof.ts';
import { fitsConfig, fitsManifest, isProven } from './imageProof.ts';
import type { CacheLayout } from './layout.ts';
import { IMAGE_NOTE, RESOLVED_IMAGE } from './records.ts';
import { sizeOfOwnFile } from '../io/files.ts';

/**
 * What a cache remembers of images that were looked up, each for one platform. Anybody who may
 * write to the folder could change such a note. So the notes of manifests are only used together
 * with the manifests' own bytes.
 */
export class ImageNotes {
  readonly #layout: CacheLayout;
  readonly #documents: Documents;
  /** Images of files of libraries in this run, by the paths of their notes. */
  readonly #inLibrary = new Map<string, ResolvedImage>();

  constructor(layout: CacheLayout) {
    this.#layout = layout;
    this.#documents = {
      manifest: (digest) => readOwnBytes(layout.manifestBytes(digest), digest),
      config: (digest) => readOwnBytes(layout.config(digest), digest),
    };
  }

  /**
   * Returns the image behind the digest of a manifest or index. Returns undefined unless the kept
   * bytes of the manifests and the config lead to it.
   */
  async findByManifest(digest: Digest, platform: Platform): Promise<ResolvedImage | undefined> {
    const note = await readNote(this.#layout.manifest(digest, platform), IMAGE_NOTE);
    if (note === undefined || !(await isProven(note, digest, platform, this.#documents))) return undefined;
    return imageOf(note);
  }

  rememberManifest(digest: Digest, platform: Platform, image: ResolvedImage): Promise<void> {
    const note = { ...image, of: digest, for: formatPlatform(platform) };
    return ifWritable(writeDocument(this.#layout.manifest(digest, platform), note));
  }

  /** Keeps the bytes of a manifest, index or config that `findByManifest` needs. */
  async keep(kind: 'manifest' | 'config', bytes: Uint8Array): Promise<void> {
    const digest = digestOf(bytes);
    const path = kind === 'manifest' ? this.#layout.manifestBytes(digest) : this.#layout.config(digest);
    if ((await sizeOfOwnFile(path)) === bytes.length) return;
    const write = (temporary: string): Promise<void> => writeFile(temporary, bytes, { mode: 0o400 });
    await ifWritable(writeInCache(path, write));
  }

  /**
   * Returns the image that a name meant when it was last looked up. What the kept documents do not
   * confirm is left out: the digests of the manifest and of the blobs.
   */
  async findByName(reference: Reference, platform: Platform): Promise<ResolvedImage | undefined> {
    const image = await readNote(this.#layout.tag(reference, platform), RESOLVED_IMAGE);
    if (image === undefined || !(await fitsConfig(image, this.#documents))) return undefined;
    const { manifestDigest, ...rest } = image;
    if (manifestDigest !== undefined && (await fitsManifest(image, manifestDigest, this.#documents)))
      return image;
    return { ...rest, layers: image.layers.map(({ diffID }) => ({ diffID })) };
  }

  rememberName(reference: Reference, platform: Platform, image: ResolvedImage): Promise<void> {
    return ifWritable(writeDocument(this.#layout.tag(reference, platform), image));
  }

  /**
   * Returns the image in a file of a container library. Only the file itself could prove the note,
   * so it comes from the user's own folder.
   */
  async findByLibraryFile(digest: Digest, platform: Platform): Promise<ResolvedImage | undefined> {
    const path = this.#layout.libraryImage(digest, platform);
    return this.#inLibrary.get(path) ?? (await readNote(path, RESOLVED_IMAGE));
  }

  rememberLibraryFile(digest: Digest, platform: Platform, image: ResolvedImage): Promise<void> {
    const path = this.#layout.libraryImage(digest, platform);
    this.#inLibrary.set(path, image);
    return ifWritable(writeDocument(path, image));
  }

  /**
   * Deletes the notes of manifests that the kept documents contradict. Returns the paths of the
   * deleted notes.
   */
  async deleteChanged(): Promise<string[]> {
    const changed: string[] = [];
    for (const name of await namesIn(this.#layout.manifests)) {
      const path = join(this.#layout.manifests, name);
      if (name.endsWith('.json') && !(await this.#mayBeTrue(path))) changed.push(path);
    }
    await Promise.all(changed.map((path) => rm(path, { force: true, recursive: true })));
    return changed;
  }

  /**
   * A note of an older version of this tool, which kept no documents, says nothing that is ever
   * used.
   */
  async #mayBeTrue(path: string): Promise<boolean> {
    const note = await readNote(path, IMAGE_NOTE);
    if (note === undefined) return false;
    if (note.of !== undefined && note.for !== undefined) {
      const platform = parsePlatform(note.for);
      const isItsPlace = this.#layout.manifest(note.of, platform) === path;
      return isItsPlace && (await isProven(note, note.of, platform, this.#documents));
    }
    const { manifestDigest } = note;
    const isKept = manifestDigest && (await this.#documents.manifest(manifestDigest)) !== undefined;
    return !isKept || fitsManifest(note, manifestDigest, this.#documents);
  }
}

function imageOf(note: ResolvedImage): ResolvedImage {
  const { reference, platform, configDigest, manifestDigest, layers, source } = note;
  const image = { reference, platform, configDigest, layers, source };
  return manifestDigest === undefined ? image : { ...image, manifestDigest };
}

/**
 * If the cache can't be written, an image is only looked up again. A build reports the fault when
 * it stores layers.
 */
async function ifWritable(writing: Promise<unknown>): Promise<void> {
  await writing.catch((error: unknown) => {
    if (!(error instanceof UsageError)) throw error;
  });
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return [];
    throw error;
  }
}

/** The image configs of a cache, by config digest. */
export class ConfigStore {
  readonly #layout: CacheLayout;

  constructor(layout: CacheLayout) {
    this.#layout = layout;
  }

  /**
   * Returns the config's exact bytes, or undefined if the cache does not hold it, or holds it
   * damaged.
   */
  find(configDigest: Digest): Promise<Buffer | undefined> {
    return readOwnBytes(this.#layout.config(configDigest), configDigest);
  }
}
