import { rm } from 'node:fs/promises';
import { archiveSource } from '../../archives/source.ts';
import type { CacheLayout } from '../../cache/layout.ts';
import { withLock } from '../../cache/lock.ts';
import { rememberImage, rememberedImage } from '../../cache/documents.ts';
import { NotFoundError, UnsupportedError, UsageError } from '../../errors.ts';
import { download } from '../../download/download.ts';
import { fileSize } from '../../io/files.ts';
import { firstBytes } from '../../io/writeFrom.ts';
import { bytesOf } from '../../http/http.ts';
import type { Progress } from '../../io/progress.ts';
import type { Library } from '../../library/client.ts';
import { digestIn, findImage } from '../../library/images.ts';
import type { LibraryReference } from '../../library/reference.ts';
import { formatLibraryReference } from '../../library/reference.ts';
import { LIBRARY_PARTS, locateFile } from '../../library/remoteFile.ts';
import type { LocatedFile } from '../../library/remoteFile.ts';
import type { Digest } from '../../oci/digest.ts';
import type { ImageSource, ResolvedImage } from '../../oci/image.ts';
import type { Platform } from '../../oci/platform.ts';
import type { Reference } from '../../oci/reference.ts';
import { parseReference } from '../../oci/reference.ts';

/** One file of a container library, as the builder uses it. */
export interface LibraryFile {
  /** The name that its image bears on devices. */
  name: Reference;
  /** The image in it: an OCI or docker archive. It is looked up without a download where its content is known. */
  source: ImageSource;
  /** Downloads the file into the cache, unless it is there; its path. Throws NotFoundError where there is none. */
  fetchFile(platform: Platform, signal?: AbortSignal): Promise<string>;
}

export interface LibraryFileContext {
  library: Library;
  cache: CacheLayout;
  progress: Progress;
}

/** The file that a `library://` reference names. Throws UsageError for a reference with several tags. */
export function libraryFile(reference: LibraryReference, context: LibraryFileContext): LibraryFile {
  const text = formatLibraryReference(reference);
  const [tag = 'latest', ...more] = reference.tags ?? [];
  if (more.length > 0) throw new UsageError(`${text}: expected one tag, found ${more.length + 1}`);
  const place = { ...context, text, path: reference.path, tag };
  return {
    name: deviceName(reference, tag, context.library.base),
    source: sourceOf(place),
    fetchFile: async (platform, signal) => {
      const found = await lookUp(place, platform, signal);
      if (found === undefined)
        throw new NotFoundError(`${text}: the library has no such file for ${platform.architecture}`);
      return fetchFile(place, found, platform, signal);
    },
  };
}

interface Place extends LibraryFileContext {
  text: string;
  path: string;
  tag: string;
}

/** What the library says of the file. */
interface Known {
  digest: Digest;
  size: number | undefined;
}

/** `host/path:tag`, as a registry would call it; nothing is ever pulled by this name. */
function deviceName({ host, path }: LibraryReference, tag: string, base: string): Reference {
  const repository = path.toLowerCase().replace(/[^a-z0-9/._-]+/g, '-');
  return parseReference(`${host ?? new URL(base).host}/${repository}:${tag.replace(/[^\w.-]/g, '-')}`);
}

function sourceOf(place: Place): ImageSource {
  const { text, cache, library } = place;
  const inFile = (path: string): ImageSource => archiveSource(path, { log: library.log });
  return {
    name: text,
    async resolve(request, signal) {
      const { reference, platform } = request;
      const found = await lookUp(place, platform, signal);
      if (found === undefined) return undefined;
      const known = await rememberedImage(cache.libraryImage(found.digest, platform));
      if (known !== undefined) return { ...known, reference, source: text };
      const image = await inFile(await fetchFile(place, found, platform, signal)).resolve(request, signal);
      if (image !== undefined) await rememberImage(cache.libraryImage(found.digest, platform), image);
      return image && { ...image, source: text };
    },
    async fetch(image, wanted, sink, signal) {
      const path = await fetchFile(place, await sameFile(place, image, signal), image.platform, signal);
      await inFile(path).fetch(image, wanted, sink, signal);
      // Its layers are in the cache now.
      await rm(path, { force: true });
    },
  };
}

/** Asks the library, without downloading anything. Undefined where it has no such file. */
async function lookUp(place: Place, platform: Platform, signal?: AbortSignal): Promise<Known | undefined> {
  const { library, path, tag, text } = place;
  const image = await findImage(
    { ...library, signal: signal ?? library.signal },
    { ref: `${path}:${tag}`, arch: platform.architecture },
  );
  if (image === undefined || image.uploaded === false) return undefined;
  if (image.hash?.startsWith('sif.') === true) throw singularity(text);
  const digest = digestIn(image);
  if (digest !== undefined) return { digest, size: image.size };
  throw new UnsupportedError(
    `${text}: the library tells no SHA-256 of the file (${image.hash ?? 'no hash'})`,
    {
      hint: 'push the file again with a current client',
    },
  );
}

async function sameFile(place: Place, image: ResolvedImage, signal?: AbortSignal): Promise<Known> {
  const found = await lookUp(place, image.platform, signal);
  const known = found && (await rememberedImage(place.cache.libraryImage(found.digest, image.platform)));
  if (found !== undefined && known?.configDigest === image.configDigest) return found;
  throw new NotFoundError(`${place.text}: the image ${image.configDigest} is no longer there`, {
    hint: 'the tag was moved meanwhile: run again',
  });
}

async function fetchFile(
  place: Place,
  known: Known,
  platform: Platform,
  signal?: AbortSignal,
): Promise<string> {
  const path = place.cache.libraryFile(known.digest);
  await withLock(path, () => downloadOnce(place, known, platform, path, signal), signal);
  return path;
}

async function downloadOnce(
  { library, progress, path: container, tag, text }: Place,
  known: Known,
  { architecture }: Platform,
  path: string,
  signal?: AbortSignal,
): Promise<void> {
  if ((await fileSize(path)) !== undefined) return;
  const asked = { ...library, signal: signal ?? library.signal };
  const file = await locateFile(asked, { path: container, tag, arch: architecture }, LIBRARY_PARTS, known);
  if (file.isSif || (await beginsAsSif(file, asked.signal))) throw singularity(text);
  await download({ ...file, ...known }, path, { log: library.log, progress, signal: asked.signal });
  if (!(await isSifFile(path))) return;
  await rm(path, { force: true });
  throw singularity(text);
}

function singularity(text: string): UnsupportedError {
  return new UnsupportedError(`${text} is a Singularity image (SIF), which no container engine can load`, {
    hint: 'push the image as an archive: skopeo copy docker://IMAGE oci-archive:FILE, then library push FILE',
  });
}

/** https://github.com/apptainer/sif/blob/main/pkg/sif/sif.go: after the launch script, at byte 32. */
const SIF_MAGIC = 'SIF_MAGIC';
const SIF_HEADER = 64;

/** Looks at the first bytes before everything is downloaded, where the storage sends ranges. */
async function beginsAsSif(file: LocatedFile, signal: AbortSignal | undefined): Promise<boolean> {
  if (file.parts === undefined) return false;
  const response = await file.open(`bytes=0-${SIF_HEADER - 1}`, signal);
  if (response.status === 206) return (await bytesOf(response, SIF_HEADER)).includes(SIF_MAGIC);
  response.body.destroy();
  return false;
}

async function isSifFile(path: string): Promise<boolean> {
  return (await firstBytes(path, SIF_HEADER)).includes(SIF_MAGIC);
}
