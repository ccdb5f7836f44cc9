import { IntegrityError } from '../errors.ts';
import type { Log } from '../io/log.ts';
import type { ImageSource, ResolvedImage } from '../oci/image.ts';
import type { Reference } from '../oci/reference.ts';
import type { Archive } from './archive.ts';
import { wantedBlobs, findImage, resolvedImage } from './findImage.ts';
import { readEntries } from './entries.ts';
import { archiveError, openArchive } from './open.ts';

export interface ArchiveOptions {
  log: Log;
}

/**
 * Images from one archive: an OCI archive or layout folder, or what `docker save` writes. Tar
 * archives may be gzipped. The image is chosen by digest or name. A single image is taken whatever
 * its name. `resolve` never returns undefined, as the user named this archive: it throws
 * NotFoundError for a missing file, image or platform. The archive is opened once, at the first
 * call.
 */
export function archiveSource(path: string, { log }: ArchiveOptions): ImageSource {
  const name = `archive ${path}`;
  let opening: Promise<Archive> | undefined;
  const opened = (signal?: AbortSignal): Promise<Archive> => (opening ??= openArchive(path, name, signal));

  return {
    name,
    async resolve(request, signal) {
      const { files } = await opened(signal);
      signal?.throwIfAborted();
      const image = await withArchiveErrors(name, () => findImage(files, request, name));
      log.debug(`${name}: found ${image.configDigest} with ${image.layers.length} layers`);
      return resolvedImage(image, request.reference, name);
    },
    async fetch(resolved, wanted, sink, signal) {
      const archive = await opened(signal);
      const image = await withArchiveErrors(name, () => findImage(archive.files, resolved, name));
      if (image.configDigest !== resolved.configDigest) throw changed(name, resolved, image.configDigest);
      await archive.deliver(wantedBlobs(image, wanted), sink, signal);
    },
  };
}

async function withArchiveErrors<T>(where: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    throw archiveError(error, where);
  }
}

function changed(where: string, { configDigest }: ResolvedImage, found: string): IntegrityError {
  return new IntegrityError(`${where}: expected the image ${configDigest}, found ${found}`, {
    hint: 'the archive was changed meanwhile: run again',
  });
}

/**
 * Returns the names of the images in an archive. An image may have none. Throws as `openArchive`.
 */
export async function namesInArchive(path: string): Promise<Reference[]> {
  const where = `archive ${path}`;
  const { files } = await openArchive(path, where);
  return (await readEntries(files, where)).flatMap(({ full }) => full);
}
