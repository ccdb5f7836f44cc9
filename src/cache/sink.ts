import { IntegrityError } from '../errors.ts';
import { compressionOf, peek } from '../io/decompress.ts';
import { HAS_THREADS } from '../io/threads.ts';
import type { Digest } from '../oci/digest.ts';
import type { BlobDelivery, BlobSink } from '../oci/image.ts';
import { keepGzip } from './gzipTwin.ts';
import type { CacheLayout } from './layout.ts';
import type { LayerRecord } from './record.ts';
import { writeRecord } from './record.ts';
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
