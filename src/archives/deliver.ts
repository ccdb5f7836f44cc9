import { Readable } from 'node:stream';
import { IntegrityError } from '../errors.ts';
import type { Expected } from '../io/verify.ts';
import { verified } from '../io/verify.ts';
import type { BlobSink } from '../oci/image.ts';
import type { ArchiveFiles, ArchivedFile, WantedBlob } from './archive.ts';

/** Blobs that are delivered at once: enough to keep both the disk and the decompression busy. */
const AT_ONCE = 3;

/** Opens the content of a file of the archive. */
export type OpenFile = (file: ArchivedFile, signal: AbortSignal) => Readable;

/**
 * Hands one blob of an archive to the sink, and checks the blob's own digest on the way if the
 * archive names one. `where` names the archive. Throws the sink's error.
 */
export async function deliverBlob(
  { kind, digest, stored }: WantedBlob,
  body: Readable,
  size: number,
  sink: BlobSink,
  where: string,
): Promise<void> {
  const blobDigest = stored.descriptor?.digest;
  const stream =
    stored.descriptor === undefined ? body : checked(body, stored.descriptor, `${where}: ${stored.path}`);
  try {
    await sink({ kind, digest, size, stream, ...(blobDigest && { blobDigest }) });
  } catch (error) {
    stream.destroy();
    body.destroy();
    throw error;
  }
}

function checked(body: Readable, expected: Expected, what: string): Readable {
  // An error before the first read is kept for the reader.
  body.on('error', () => undefined);
  return Readable.from(verified(body as AsyncIterable<Buffer>, expected, what), { objectMode: false });
}

/**
 * Delivers blobs that can be read by position, a few at once. The first failure ends the others and
 * is thrown.
 */
export async function deliverByPosition(
  files: ArchiveFiles,
  open: OpenFile,
  blobs: readonly WantedBlob[],
  sink: BlobSink,
  where: string,
  signal?: AbortSignal,
): Promise<void> {
  const failure = new AbortController();
  const ends = signal === undefined ? failure.signal : AbortSignal.any([signal, failure.signal]);
  const queue = blobs.values();
  const worker = async (): Promise<void> => {
    for (const blob of queue) {
      ends.throwIfAborted();
      const file = await locateBlob(files, blob, where);
      await deliverBlob(blob, open(file, ends), file.size, sink, where);
    }
  };
  const workers = Array.from({ length: AT_ONCE }, () =>
    worker().catch((error: unknown) => {
      failure.abort(error);
    }),
  );
  await Promise.all(workers);
  signal?.throwIfAborted();
  failure.signal.throwIfAborted();
}

/**
 * Finds a blob. Throws IntegrityError if the archive lacks it, or if its size is not the one in the
 * manifest.
 */
export async function locateBlob(
  files: ArchiveFiles,
  { stored, digest }: WantedBlob,
  where: string,
): Promise<ArchivedFile> {
  const file = await files.locate(stored.path);
  if (file === undefined) {
    throw new IntegrityError(`${where}: ${stored.path} is missing (${digest})`, {
      hint: 'make the archive again with all layers, e.g. with skopeo copy or docker save',
    });
  }
  const expected = stored.descriptor?.size ?? file.size;
  if (expected === file.size) return file;
  throw new IntegrityError(`${where}: ${stored.path}: expected ${expected} bytes, found ${file.size}`);
}
