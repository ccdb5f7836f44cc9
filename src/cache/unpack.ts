import { open } from 'node:fs/promises';
import { uncompressed } from '../compress/decompress.ts';
import { IntegrityError } from '../errors.ts';
import { writeAtomically } from '../io/files.ts';
import { verified } from '../io/verify.ts';
import { writeBehind } from '../io/writeFrom.ts';
import type { Digest } from '../oci/digest.ts';

/** What to do with a layer that arrives in some compression. */
export interface UnpackJob {
  /** Bytes that it may have uncompressed. */
  largest: number;
  /** Where to store it, and its diffID. Without this only its size is learned. */
  store?: { path: string; diffID: Digest };
}

type Chunks = AsyncIterable<Buffer>;

/**
 * Uncompresses a layer and returns its size in bytes. Stores it, if the job says so, once it matches its diffID. Throws
 * IntegrityError if it does not, or if it is too large.
 */
export async function unpackLayer(chunks: Chunks, { largest, store }: UnpackJob): Promise<number> {
  const layer = { size: 0 };
  const content = measured(uncompressed(chunks), layer, largest);
  if (store === undefined) await readToEnd(content);
  else await storeVerified(store.path, content, store.diffID, `layer ${store.diffID}`);
  return layer.size;
}

async function* measured(
  chunks: Chunks,
  layer: { size: number },
  largest: number,
): AsyncGenerator<Buffer, void, undefined> {
  for await (const chunk of chunks) {
    layer.size += chunk.length;
    if (layer.size > largest) throw tooLarge(largest);
    yield chunk;
  }
}

function tooLarge(largest: number): IntegrityError {
  return new IntegrityError(`it is larger than ${largest} bytes uncompressed`, {
    hint: 'if it is to be so large, raise --max-layer-size',
  });
}

async function readToEnd(chunks: Chunks): Promise<void> {
  const iterator = chunks[Symbol.asyncIterator]();
  while ((await iterator.next()).done !== true);
}

/**
 * Stores the bytes at `path` once they match the digest. Throws IntegrityError that begins with `what` if they do not.
 */
export function storeVerified(path: string, chunks: Chunks, digest: Digest, what: string): Promise<void> {
  return writeAtomically(path, (temporary) => writeNew(temporary, verified(chunks, { digest }, what)));
}

async function writeNew(path: string, chunks: Chunks): Promise<void> {
  const file = await open(path, 'wx', 0o444);
  try {
    await writeBehind(file, 0, chunks);
  } finally {
    await file.close();
  }
}
