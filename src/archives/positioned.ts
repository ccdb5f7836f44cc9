import type { Readable } from 'node:stream';
import { IntegrityError } from '../errors.ts';
import { deliver } from './deliver.ts';
import type { BlobSink } from '../oci/image.ts';
import type { LayoutDelivery } from './layout.ts';
import type { LayoutFiles, LocatedFile } from './layoutFiles.ts';

/** Enough to keep both the disk and the decompression busy. */
const AT_ONCE = 3;

/** Opens the content of a file of the archive. */
export type OpenFile = (file: LocatedFile, signal: AbortSignal) => Readable;

/** Delivers blobs that can be read by position, a few at once; the first failure ends the others and is thrown. */
export async function deliverByPosition(
  files: LayoutFiles,
  open: OpenFile,
  deliveries: readonly LayoutDelivery[],
  sink: BlobSink,
  where: string,
  signal?: AbortSignal,
): Promise<void> {
  const failure = new AbortController();
  const ends = signal === undefined ? failure.signal : AbortSignal.any([signal, failure.signal]);
  const queue = deliveries.values();
  const worker = async (): Promise<void> => {
    for (const delivery of queue) {
      ends.throwIfAborted();
      const file = await locate(files, delivery, where);
      await deliver(delivery, open(file, ends), file.size, sink, where);
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

/** Where a blob is; throws IntegrityError when the archive lacks it or its size is not what the manifest says. */
export async function locate(
  files: LayoutFiles,
  { blob, digest }: LayoutDelivery,
  where: string,
): Promise<LocatedFile> {
  const file = await files.locate(blob.path);
  if (file === undefined) {
    throw new IntegrityError(`${where}: ${blob.path} is missing (${digest})`, {
      hint: 'make the archive again with all layers, e.g. with skopeo copy or docker save',
    });
  }
  const expected = blob.descriptor?.size ?? file.size;
  if (expected === file.size) return file;
  throw new IntegrityError(`${where}: ${blob.path}: expected ${expected} bytes, found ${file.size}`);
}
