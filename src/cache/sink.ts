import { IntegrityError } from '../errors.ts';
import { compressionOf, peek } from '../io/decompress.ts';
import { fileSize } from '../io/files.ts';
import { HAS_THREADS } from '../io/threads.ts';
import type { BlobDelivery, BlobSink } from '../oci/image.ts';
import { writeDocument } from './documents.ts';
import { keepGzip } from './gzipTwin.ts';
import type { CacheLayout } from './layout.ts';
import type { UnpackJob } from './unpack.ts';
import { storeVerified, unpackLayer } from './unpack.ts';
import { unpackBeside } from './unpackBeside.ts';

/** A thread takes a while to start: layers of fewer compressed bytes are unpacked where they arrive. */
const WORTH_A_THREAD = 16 << 20;

/**
 * A sink that stores configs as they are and layers uncompressed, each under its own digest once it is whole and
 * verified. `largestLayer` bounds an uncompressed layer, in bytes. Throws IntegrityError for other bytes than the digest's.
 */
export function cacheSink(layout: CacheLayout, largestLayer: number): BlobSink {
  return async (delivery: BlobDelivery) => {
    const { kind, digest, stream } = delivery;
    const what = `${kind} ${digest}`;
    if (kind === 'config')
      await named(what, storeVerified(layout.config(digest), stream as AsyncIterable<Buffer>, digest, what));
    else await named(what, storeLayer(layout.layer(digest), delivery, largestLayer));
  };
}

async function named(what: string, work: Promise<void>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (!(error instanceof IntegrityError) || error.message.startsWith(what)) throw error;
    throw new IntegrityError(`${what}: ${error.message}`, { cause: error });
  }
}

async function storeLayer(path: string, delivery: BlobDelivery, largest: number): Promise<void> {
  const { digest: diffID, stream } = delivery;
  try {
    const { head, rest } = await peek(stream[Symbol.asyncIterator]() as AsyncIterator<Buffer, undefined>);
    const store = compressionOf(head) === 'gzip' ? storeGzipped : storeOther;
    const record = await store(rest, { path, diffID, largest }, delivery);
    await writeDocument(`${path}.json`, { size: await fileSize(path), ...record });
  } finally {
    stream.destroy();
  }
}

async function storeOther(chunks: AsyncIterable<Buffer>, job: UnpackJob): Promise<object> {
  await unpackLayer(chunks, job);
  return {};
}

/** A layer that came gzipped is kept in that form as well: shipped whole, it need not be compressed again. */
async function storeGzipped(
  chunks: AsyncIterable<Buffer>,
  job: UnpackJob,
  { blobDigest, size: onTheWay = 0 }: BlobDelivery,
): Promise<object> {
  const unpack = HAS_THREADS && onTheWay >= WORTH_A_THREAD ? unpackBeside : unpackHere;
  const { size, digest } = await keepGzip(`${job.path}.gz`, chunks, blobDigest, (file, written) =>
    unpack(file, written, job),
  );
  return { gzipped: { size, digest } };
}

function unpackHere(_file: string, chunks: AsyncIterable<Buffer>, job: UnpackJob): Promise<void> {
  return unpackLayer(chunks, job);
}
