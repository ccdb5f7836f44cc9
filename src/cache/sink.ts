import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { compressionOf, peek } from '../compress/decompress.ts';
import { IntegrityError } from '../errors.ts';
import { writeAtomically } from '../io/files.ts';
import { HAS_THREADS } from '../io/threads.ts';
import { gathered, writeAll } from '../io/writeFrom.ts';
import type { Digest } from '../oci/digest.ts';
import type { BlobDelivery, BlobSink } from '../oci/image.ts';
import type { GzipFile } from '../tar/tar.ts';
import type { LayerRecord } from './documents.ts';
import { writeRecord } from './documents.ts';
import type { CacheLayout } from './layout.ts';
import type { UnpackJob } from './unpack.ts';
import { storeVerified, unpackLayer } from './unpack.ts';
import { unpackBeside } from './unpackBeside.ts';

/** Compressed bytes from which on a layer is worth a thread of its own, which takes a while to start, and other pains. */
const LARGE = 16 << 20;

/** What arrives is to be of use for. */
export interface SinkOptions {
  /** Bytes that an uncompressed layer may have. */
  largestLayer: number;
  /** DiffIDs of layers that will only be shipped: as their registry gzipped them will do. */
  shipped?: ReadonlySet<Digest>;
}

/**
 * A sink that stores configs as they are and layers uncompressed, each under its own digest once it is whole and verified.
 * A large layer that will only be shipped is not uncompressed but to learn its size; its blob's digest was compared then.
 * Throws IntegrityError for other bytes than the digest's.
 */
export function cacheSink(layout: CacheLayout, options: SinkOptions): BlobSink {
  return async (delivery: BlobDelivery) => {
    const { kind, digest, stream } = delivery;
    const what = `${kind} ${digest}`;
    if (kind === 'config')
      await named(what, storeVerified(layout.config(digest), stream as AsyncIterable<Buffer>, digest, what));
    else await named(what, storeLayer(layout.layer(digest), delivery, options));
  };
}

async function named(what: string, work: Promise<void>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (!(error instanceof IntegrityError) || error.message.startsWith(what)) throw error;
    const { message, hint } = error;
    throw new IntegrityError(`${what}: ${message}`, { ...(hint !== undefined && { hint }), cause: error });
  }
}

async function storeLayer(path: string, delivery: BlobDelivery, options: SinkOptions): Promise<void> {
  const { digest: diffID, stream } = delivery;
  const { largestLayer: largest } = options;
  try {
    const { head, rest } = await peek(stream[Symbol.asyncIterator]() as AsyncIterator<Buffer, undefined>);
    const isGzip = compressionOf(head) === 'gzip';
    const store = { path, diffID };
    const job = isGzip && isOnlyShipped(delivery, options) ? { largest } : { largest, store };
    const record = isGzip ? await storeGzipped(rest, path, job, delivery) : await storeOther(rest, job);
    await writeRecord(path, record);
  } finally {
    stream.destroy();
  }
}

/** Where nobody compared the blob's digest, its content must be. */
function isOnlyShipped({ digest, blobDigest, size }: BlobDelivery, { shipped }: SinkOptions): boolean {
  return blobDigest !== undefined && (size ?? 0) >= LARGE && shipped?.has(digest) === true;
}

async function storeOther(chunks: AsyncIterable<Buffer>, job: UnpackJob): Promise<LayerRecord> {
  return { size: await unpackLayer(chunks, job) };
}

/** A layer that came gzipped is kept in that form as well: shipped whole, it need not be compressed again. */
async function storeGzipped(
  chunks: AsyncIterable<Buffer>,
  path: string,
  job: UnpackJob,
  { blobDigest, size: onTheWay = 0 }: BlobDelivery,
): Promise<LayerRecord> {
  const unpack = HAS_THREADS && onTheWay >= LARGE ? unpackBeside : unpackHere;
  const { gzipped, unpacked } = await keepGzip(`${path}.gz`, chunks, blobDigest, (file, written) =>
    unpack(file, written, job),
  );
  return { size: unpacked, gzipped: { size: gzipped.size, digest: gzipped.digest } };
}

function unpackHere(_file: string, chunks: AsyncIterable<Buffer>, job: UnpackJob): Promise<number> {
  return unpackLayer(chunks, job);
}

/** Bytes that are written and uncompressed at a time: what arrives is smaller, and costs a third more work. */
const PIECE = 1 << 18;

/**
 * Copies a gzip stream to `path` while `unpack` reads it, once that has found it whole; `unpacked` is what it returned. It
 * gets the file as it grows, and the chunks, each when it is in the file; it must read them to their end. `blobDigest` is given
 * where whoever sends the stream fails it for any other bytes. A failure leaves nothing at `path`.
 */
function keepGzip<T>(
  path: string,
  chunks: AsyncIterable<Buffer>,
  blobDigest: Digest | undefined,
  unpack: (file: string, written: AsyncIterable<Buffer>) => Promise<T>,
): Promise<{ gzipped: GzipFile; unpacked: T }> {
  const copy = { size: 0, ...summing(blobDigest) };
  return writeAtomically(path, async (temporary) => {
    const unpacked = await unpack(temporary, copied(chunks, temporary, copy));
    return { gzipped: { path, size: copy.size, digest: copy.digest() }, unpacked };
  });
}

interface Copy {
  size: number;
  digest(): Digest;
  update(chunk: Buffer): void;
}

/** Bytes whose digest is known are not summed again. */
function summing(known: Digest | undefined): Pick<Copy, 'digest' | 'update'> {
  if (known !== undefined) return { digest: () => known, update: () => undefined };
  const sum = createHash('sha256');
  return { digest: () => `sha256:${sum.digest('hex')}`, update: (chunk) => sum.update(chunk) };
}

async function* copied(
  chunks: AsyncIterable<Buffer>,
  path: string,
  copy: Copy,
): AsyncGenerator<Buffer, void, undefined> {
  const file = await open(path, 'wx', 0o444);
  try {
    for await (const chunk of gathered(chunks, PIECE)) {
      await writeAll(file, chunk, copy.size);
      copy.update(chunk);
      copy.size += chunk.length;
      yield chunk;
    }
  } finally {
    await file.close();
  }
}
