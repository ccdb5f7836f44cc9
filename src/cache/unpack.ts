import { open } from 'node:fs/promises';
import { IntegrityError } from '../errors.ts';
import { uncompressed } from '../compress/decompress.ts';
import { writeAtomically } from '../io/files.ts';
import { verified } from '../io/verify.ts';
import { writeBehind } from '../io/writeFrom.ts';
import type { Digest } from '../oci/digest.ts';

/** What is wanted of a layer that arrives in some compression. */
export interface UnpackJob {
  /** Bytes that it may have uncompressed. */
  largest: number;
  /** Where it goes, and what it must be; undefined: only its size is wanted. */
  store?: { path: string; diffID: Digest };
}

type Chunks = AsyncIterable<Buffer>;

/**
 * Uncompresses a layer and returns its size in bytes. It is stored once it is whole and has its diffID, if it is to be stored.
 * Throws IntegrityError for anything else.
 */
export async function unpackLayer(chunks: Chunks, { largest, store }: UnpackJob): Promise<number> {
  const layer = { size: 0 };
  const content = measured(uncompressed(chunks), layer, largest);
  if (store !== undefined) await storeVerified(store.path, content, store.diffID, `layer ${store.diffID}`);
  else await drained(content);
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

async function drained(chunks: Chunks): Promise<void> {
  const iterator = chunks[Symbol.asyncIterator]();
  while ((await iterator.next()).done !== true);
}

/** Stores the bytes once they are whole. Throws IntegrityError, which begins with `what`, if they are not the digest's. */
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
