import { rm } from 'node:fs/promises';
import { download } from '../download/download.ts';
import { NotFoundError, UnsupportedError, UsageError } from '../errors.ts';
import type { Progress } from '../io/progress.ts';
import type { Digest } from '../oci/digest.ts';
import type { ImageSource, ResolvedImage } from '../oci/image.ts';
import type { Platform } from '../oci/platform.ts';
import type { Reference } from '../oci/reference.ts';
import { parseReference } from '../oci/reference.ts';
import type { Library } from './client.ts';
import type { ExpectedFile } from './images.ts';
import { expectedFile, lookUpImage } from './images.ts';
import { LIBRARY_PARTS, locateFile } from './locateFile.ts';
import type { LibraryReference } from './reference.ts';
import { formatLibraryReference } from './reference.ts';
import { beginsAsSif, isSifFile, singularityError } from './sif.ts';

/** What a `library://` reference names: an image archive in a container library. */
export interface LibraryFile {
  /** The name of its image on devices. */
  name: Reference;
  /** The image in the archive. Known archives are looked up without a download. */
  source: ImageSource;
  /**
   * Downloads the file unless it is on this machine, and returns its path. Throws NotFoundError for
   * an unknown file.
   */
  fetchFile(platform: Platform, signal?: AbortSignal): Promise<string>;
}

/** Keeps downloaded files, and notes of the images in them. */
interface LibraryCache {
  images: {
    findByLibraryFile(file: Digest, platform: Platform): Promise<ResolvedImage | undefined>;
    rememberLibraryFile(file: Digest, platform: Platform, image: ResolvedImage): Promise<void>;
  };
  downloads: {
    /**
     * Returns the path of the file with this digest, after `download` wrote it there if it was
     * missing.
     */
    ensure(file: Digest, download: (path: string) => Promise<void>): Promise<string>;
    delete(file: Digest): Promise<void>;
  };
}

export interface LibraryFileContext {
  library: Library;
  cache: LibraryCache;
  /** Opens the image archive at a path. */
  openArchive(path: string): ImageSource;
  progress: Progress;
}

/**
 * Returns the file that a `library://` reference names. Throws UsageError for a reference with
 * several tags.
 */
export function libraryFile(reference: LibraryReference, context: LibraryFileContext): LibraryFile {
  const text = formatLibraryReference(reference);
  const [tag = 'latest', ...more] = reference.tags ?? [];
  if (more.length > 0) throw new UsageError(`${text}: expected one tag, found ${more.length + 1}`);
  const place = { ...context, text, path: reference.path, tag };
  return {
    name: deviceName(reference, tag, context.library.base),
    source: sourceAt(place),
    fetchFile: async (platform, signal) => {
      const content = await lookUp(place, platform, signal);
      return fetchFile(place, content, platform, signal);
    },
  };
}

interface Place extends LibraryFileContext {
  /** The reference, for messages. */
  text: string;
  /** `entity/collection/container` */
  path: string;
  tag: string;
}

/** The bytes behind a reference, as the library describes them. */
type Content = ExpectedFile & { digest: Digest };

/** `host/path:tag`, as a registry would call it. Nothing is ever pulled by this name. */
function deviceName({ host, path }: LibraryReference, tag: string, base: string): Reference {
  const repository = path.toLowerCase().replace(/[^a-z0-9/._-]+/g, '-');
  return parseReference(`${host ?? new URL(base).host}/${repository}:${tag.replace(/[^\w.-]/g, '-')}`);
}

function sourceAt(place: Place): ImageSource {
  const { text, cache } = place;
  return {
    name: text,
    async resolve(request, signal) {
      const { reference, platform } = request;
      const content = await lookUp(place, platform, signal);
      const known = await cache.images.findByLibraryFile(content.digest, platform);
      if (known !== undefined) return { ...known, reference, source: text };
      const archive = place.openArchive(await fetchFile(place, content, platform, signal));
      const image = await archive.resolve(request, signal);
      if (image === undefined) return undefined;
      await cache.images.rememberLibraryFile(content.digest, platform, image);
      return { ...image, source: text };
    },
    async fetch(image, wanted, sink, signal) {
      const content = await lookUpSame(place, image, signal);
      const archive = place.openArchive(await fetchFile(place, content, image.platform, signal));
      await archive.fetch(image, wanted, sink, signal);
      // The cache has the layers now.
      await cache.downloads.delete(content.digest);
    },
  };
}

/**
 * Asks the library, and downloads nothing. Throws NotFoundError if the library has no such file.
 */
async function lookUp(
  { library, path, tag, text }: Place,
  { architecture }: Platform,
  signal?: AbortSignal,
): Promise<Content> {
  const image = await lookUpImage(
    { ...library, signal: signal ?? library.signal },
    { ref: `${path}:${tag}`, arch: architecture },
  );
  if (image === undefined || image.uploaded === false) throw notFound({ library, path, tag }, architecture);
  if (image.hash?.startsWith('sif.') === true) throw singularityError(text);
  const { digest, size } = expectedFile(image, text);
  if (digest !== undefined) return { digest, size };
  throw new UnsupportedError(
    `${text}: the library tells no SHA-256 of the file (${image.hash ?? 'no hash'})`,
    { hint: 'push the file again with a current client' },
  );
}

function notFound(
  { library, path, tag }: Pick<Place, 'library' | 'path' | 'tag'>,
  arch: string,
): NotFoundError {
  const { host } = new URL(library.base);
  return new NotFoundError(`the library ${host} has no library:${path}:${tag} for ${arch}`, {
    hint: 'look with mender-docker-delta library search and mender-docker-delta library tags; if it is private, set LIBRARY_TOKEN',
  });
}

/** As `lookUp`. Throws NotFoundError if the reference means another image by now. */
async function lookUpSame(place: Place, image: ResolvedImage, signal?: AbortSignal): Promise<Content> {
  const content = await lookUp(place, image.platform, signal);
  const known = await place.cache.images.findByLibraryFile(content.digest, image.platform);
  if (known?.configDigest === image.configDigest) return content;
  throw new NotFoundError(`${place.text}: the image ${image.configDigest} is no longer there`, {
    hint: 'the tag was moved meanwhile: run again',
  });
}

async function fetchFile(
  { library, cache, progress, path: container, tag, text }: Place,
  content: Content,
  { architecture: arch }: Platform,
  signal?: AbortSignal,
): Promise<string> {
  const asking = { ...library, signal: signal ?? library.signal };
  return cache.downloads.ensure(content.digest, async (path) => {
    const file = await locateFile(asking, { path: container, tag, arch }, LIBRARY_PARTS, content);
    if (file.isSif || (await beginsAsSif(file, asking.signal))) throw singularityError(text);
    await download({ ...file, ...content }, path, { log: library.log, progress, signal: asking.signal });
    if (!(await isSifFile(path))) return;
    await rm(path, { force: true });
    throw singularityError(text);
  });
}
