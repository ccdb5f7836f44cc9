import { open } from 'node:fs/promises';
import { uncompressed } from '../compress/decompress.ts';
import { IntegrityError } from '../errors.ts';
import { counted, drain, limited } from '../io/streams.ts';
import { verified } from '../io/verify.ts';
import { writeBehind } from '../io/writeFrom.ts';
import type { Digest } from '../oci/digest.ts';
import { writeInCache } from './files.ts';

/** What to do with a layer that arrives in some compression. */
export interface UnpackJob {
  /** Bytes that it may have uncompressed. */
  largest: number;
  /** Where to store it, and its diffID. Without this only its size is learned. */
  store?: { path: string; diffID: Digest };
}

type Chunks = AsyncIterable<Buffer>;

/**
 * Uncompresses a layer and returns its size in bytes. Stores it, if the job says so, once it
 * matches its diffID. Throws IntegrityError if it does not, or if it is too large.
 */
export async function unpackLayer(chunks: Chunks, { largest, store }: UnpackJob): Promise<number> {
  let size = 0;
  const unpacked = limited(uncompressed(chunks), largest, () => tooLarge(largest));
  const content = counted(unpacked, (bytes) => (size += bytes));
  if (store === undefined) await drain(content);
  else await storeVerified(store.path, content, store.diffID, `layer ${store.diffID}`);
  return size;
}

function tooLarge(largest: number): IntegrityError {
  return new IntegrityError(`it is larger than ${largest} bytes uncompressed`, {
    hint: ({ option }) => `if that size is right, raise ${option('max-layer-size')}`,
  });
}

/**
 * Stores the bytes at `path` once they match the digest. Throws IntegrityError that begins with
 * `what` if they do not.
 */
export function storeVerified(path: string, chunks: Chunks, digest: Digest, what: string): Promise<void> {
  return writeInCache(path, (temporary) => writeNew(temporary, verified(chunks, { digest }, what)));
}

async function writeNew(path: string, chunks: Chunks): Promise<void> {
  const file = await open(path, 'wx', 0o400);
  try {
    await writeBehind(file, 0, chunks);
  } finally {
    await file.close();
  }
}
