import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import type { Digest } from '../oci/digest.ts';

/** Bytes in pieces of any size. */
export type Chunks = AsyncIterable<Buffer>;
type Stream = AsyncGenerator<Buffer, void, undefined>;

/** The bytes, or those of the file at that path. */
export async function* bytesOrFile(content: string | Uint8Array): Stream {
  if (typeof content === 'string') yield* createReadStream(content) as Chunks;
  else yield Buffer.from(content);
}

/**
 * The same chunks. `count` is told the bytes of each one before it is passed on. Throws the
 * signal's reason at the next chunk once the signal fires.
 */
export async function* counted(chunks: Chunks, count: (bytes: number) => void, signal?: AbortSignal): Stream {
  for await (const chunk of chunks) {
    signal?.throwIfAborted();
    count(chunk.length);
    yield chunk;
  }
}

/**
 * The same chunks. Throws the error that `tooLong` makes as soon as there are more than `most`
 * bytes.
 */
export async function* limited(chunks: Chunks, most: number, tooLong: () => Error): Stream {
  let left = most;
  for await (const chunk of chunks) {
    left -= chunk.length;
    if (left < 0) throw tooLong();
    yield chunk;
  }
}

export interface Hashed {
  /** The same chunks. */
  chunks: Stream;
  /** The SHA-256 digest of the chunks that have passed. Call it once, at the end. */
  digest: () => Digest;
}

/** Hashes the chunks while they pass. */
export function hashed(chunks: Chunks | Iterable<Buffer>): Hashed {
  const sum = createHash('sha256');
  async function* passing(): Stream {
    for await (const chunk of chunks) {
      sum.update(chunk);
      yield chunk;
    }
  }
  return { chunks: passing(), digest: () => `sha256:${sum.digest('hex')}` };
}

/** Reads the chunks to their end. */
export async function drain(chunks: Chunks): Promise<void> {
  const iterator = chunks[Symbol.asyncIterator]();
  while ((await iterator.next()).done !== true);
}

/** All bytes together. Throws the error that `tooLong` makes if there are more than `most`. */
export async function collect(chunks: Chunks, most: number, tooLong: () => Error): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const chunk of limited(chunks, most, tooLong)) parts.push(chunk);
  return parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts);
}

/**
 * Reads the first `length` bytes, fewer only at the end. `all` yields these and what follows. Who
 * stops before the end returns the iterator.
 */
export async function readHead(
  iterator: AsyncIterator<Buffer, unknown>,
  length: number,
): Promise<{ head: Buffer; all: Stream }> {
  let head = Buffer.alloc(0);
  while (head.length < length) {
    const next = await iterator.next();
    if (next.done === true) break;
    head = Buffer.concat([head, next.value]);
  }
  return { head: head.subarray(0, length), all: continued(head, iterator) };
}

async function* continued(first: Buffer, iterator: AsyncIterator<Buffer, unknown>): Stream {
  if (first.length > 0) yield first;
  for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) yield next.value;
}

/**
 * The same bytes in chunks of at least `size` bytes, so that small ones do not cost a call each.
 * The last chunk may be smaller.
 */
export async function* gathered(chunks: Chunks, size: number): Stream {
  let held: Buffer[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    held.push(chunk);
    length += chunk.length;
    if (length < size) continue;
    yield held.length === 1 ? chunk : Buffer.concat(held);
    held = [];
    length = 0;
  }
  if (length > 0) yield Buffer.concat(held);
}

/**
 * The same chunks. An error of `chunks` is stored in `read`, which tells it from an error of the
 * reader.
 */
export async function* errorRecorded(chunks: Chunks, read: { error?: unknown }): Stream {
  try {
    yield* chunks;
  } catch (error) {
    read.error = error;
    throw error;
  }
}

/**
 * `open` for a request that may be repeated. `onBytes` is told the bytes of each chunk. When a
 * stream is opened again, it is first told, as a negative number, to take back the earlier ones.
 */
export function countedAttempts(open: () => Chunks, onBytes: (bytes: number) => void): () => Stream {
  let total = 0;
  const count = (bytes: number): void => {
    total += bytes;
    onBytes(bytes);
  };
  return async function* () {
    if (total > 0) count(-total);
    yield* counted(open(), count);
  };
}
