import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { LONGEST_MAGIC, compressionOf } from '../compress/magic.ts';
import { IntegrityError, withSubject } from '../errors.ts';
import type { Progress } from '../io/progress.ts';
import { HAS_THREADS } from '../io/threads.ts';
import { counted, gathered, readHead } from '../io/streams.ts';
import { writeAll } from '../io/writeFrom.ts';
import type { Digest } from '../oci/digest.ts';
import { hexOf } from '../oci/digest.ts';
import type { ArrivingBlob, BlobSink } from '../oci/image.ts';
import type { GzipFile } from '../tar/tar.ts';
import { writeInCache } from './files.ts';
import type { CacheLayout } from './layout.ts';
import type { LayerRecord } from './records.ts';
import { writeLayerRecord } from './records.ts';
import type { UnpackJob } from './unpack.ts';
import { storeVerified, unpackLayer } from './unpack.ts';
import { unpackInThread } from './unpackInThread.ts';

/**
 * Compressed bytes from which a layer is unpacked in a thread, and may stay gzipped. A thread takes
 * a while to start.
 */
const LARGE = 16 << 20;

export interface SinkOptions {
  /** Bytes that an uncompressed layer may have. */
  largestLayer: number;
  /** DiffIDs of layers that nobody reads and that an artifact copies. */
  shipped?: ReadonlySet<Digest> | undefined;
  progress: Progress;
}

/**
 * Returns a sink that stores configs as they are and layers uncompressed, each under its digest
 * once it is verified. It keeps a large layer that is only shipped gzipped: it compares the digest
 * of the blob, and decompresses the layer only to learn its size. Throws IntegrityError if the
 * bytes do not match the digest.
 */
export function cacheSink(layout: CacheLayout, options: SinkOptions): BlobSink {
  return async (arriving: ArrivingBlob) => {
    const { kind, digest, stream } = arriving;
    const what = `${kind} ${digest}`;
    const store = (): Promise<void> =>
      kind === 'config'
        ? storeVerified(layout.config(digest), stream as AsyncIterable<Buffer>, digest, what)
        : storeWithProgress(layout.layer(digest), arriving, options);
    await nameInErrors(what, store);
  };
}

/** Lets an IntegrityError of `work` begin with the name of the blob. */
async function nameInErrors(what: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof IntegrityError) || error.message.startsWith(what)) throw error;
    throw withSubject(error, what);
  }
}

async function storeWithProgress(path: string, arriving: ArrivingBlob, options: SinkOptions): Promise<void> {
  const task = options.progress.start(`layer ${hexOf(arriving.digest).slice(0, 12)}`, arriving.size);
  const chunks = counted(arriving.stream as AsyncIterable<Buffer>, (bytes) => task.advance(bytes));
  try {
    const stream = Readable.from(chunks, { objectMode: false });
    await storeLayer(path, { ...arriving, stream }, options);
  } finally {
    task.end();
    arriving.stream.destroy();
  }
}

async function storeLayer(path: string, arriving: ArrivingBlob, options: SinkOptions): Promise<void> {
  const { digest: diffID, stream } = arriving;
  const { largestLayer: largest } = options;
  try {
    const { head, all } = await readHead(stream[Symbol.asyncIterator](), LONGEST_MAGIC);
    const isGzip = compressionOf(head) === 'gzip';
    const store = { path, diffID };
    const job = isGzip && isOnlyShipped(arriving, options) ? { largest } : { largest, store };
    const record = isGzip ? await storeGzipped(all, path, job, arriving) : await storeOther(all, job);
    await writeLayerRecord(path, record);
  } finally {
    stream.destroy();
  }
}

/** A layer whose blob digest nobody compared must be compared with its diffID. */
function isOnlyShipped({ digest, blobDigest, size }: ArrivingBlob, { shipped }: SinkOptions): boolean {
  return blobDigest !== undefined && (size ?? 0) >= LARGE && shipped?.has(digest) === true;
}

async function storeOther(chunks: AsyncIterable<Buffer>, job: UnpackJob): Promise<LayerRecord> {
  return { size: await unpackLayer(chunks, job) };
}

/** Keeps the gzip file as well, so that a full artifact need not compress the layer again. */
async function storeGzipped(
  chunks: AsyncIterable<Buffer>,
  path: string,
  job: UnpackJob,
  { blobDigest, size: sizeOnTheWay = 0 }: ArrivingBlob,
): Promise<LayerRecord> {
  const unpack = HAS_THREADS && sizeOnTheWay >= LARGE ? unpackInThread : unpackHere;
  const { gzipped, unpacked } = await keepGzip(`${path}.gz`, chunks, blobDigest, (file, written) =>
    unpack(file, written, job),
  );
  return { size: unpacked, gzipped: { size: gzipped.size, digest: gzipped.digest } };
}

function unpackHere(_file: string, chunks: AsyncIterable<Buffer>, job: UnpackJob): Promise<number> {
  return unpackLayer(chunks, job);
}

/**
 * Bytes that are written and uncompressed at a time. Chunks from the network are smaller, and cost
 * a third more work.
 */
const PIECE = 1 << 18;

/**
 * Stores a gzip stream at `path` while `unpack` consumes it. The file appears only if `unpack`
 * succeeds; `unpacked` is what it returned. `unpack` gets the growing file, and every chunk after
 * it was written; it must read all chunks. A `blobDigest` is trusted, because the stream itself
 * fails if its bytes do not match.
 */
function keepGzip<T>(
  path: string,
  chunks: AsyncIterable<Buffer>,
  blobDigest: Digest | undefined,
  unpack: (file: string, written: AsyncIterable<Buffer>) => Promise<T>,
): Promise<{ gzipped: GzipFile; unpacked: T }> {
  const copy = { size: 0, ...hashUnlessKnown(blobDigest) };
  return writeInCache(path, async (temporary) => {
    const unpacked = await unpack(temporary, writeAndPass(chunks, temporary, copy));
    return { gzipped: { path, size: copy.size, digest: copy.digest() }, unpacked };
  });
}

interface Copy {
  size: number;
  digest(): Digest;
  update(chunk: Buffer): void;
}

function hashUnlessKnown(known: Digest | undefined): Pick<Copy, 'digest' | 'update'> {
  if (known !== undefined) return { digest: () => known, update: () => undefined };
  const sum = createHash('sha256');
  return { digest: () => `sha256:${sum.digest('hex')}`, update: (chunk) => sum.update(chunk) };
}

async function* writeAndPass(
  chunks: AsyncIterable<Buffer>,
  path: string,
  copy: Copy,
): AsyncGenerator<Buffer, void, undefined> {
  const file = await open(path, 'wx', 0o400);
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
