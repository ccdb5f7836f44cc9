import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { IntegrityError } from '../errors.ts';
import { readingError, statUserFile } from '../io/readUserFile.ts';
import type { Digest } from '../oci/digest.ts';

/** What a library asks about a file before an upload. */
export interface Checksums {
  digest: Digest;
  /** Hexadecimal, for storage that compares nothing else. */
  md5: string;
  /** Bytes. */
  size: number;
}

/**
 * Reads the file once. Throws NotFoundError if it does not exist, and UsageError if it can't be
 * read.
 */
export async function checksumsOf(path: string): Promise<Checksums> {
  await statUserFile(path);
  const [sha256, md5] = [createHash('sha256'), createHash('md5')];
  let size = 0;
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 }) as AsyncIterable<Buffer>) {
      size += chunk.length;
      sha256.update(chunk);
      md5.update(chunk);
    }
  } catch (error) {
    throw readingError(error, { doing: `reading ${path}` });
  }
  return { digest: `sha256:${sha256.digest('hex')}`, md5: md5.digest('hex'), size };
}

/** Returns the SHA-256 of a part of a file, in hexadecimal digits. */
export async function digestOfPart(path: string, start: number, end: number): Promise<string> {
  const sum = createHash('sha256');
  for await (const chunk of bytesOfPart(path, start, end)) sum.update(chunk);
  return sum.digest('hex');
}

/**
 * Yields the bytes from `start` to before `end`. Throws IntegrityError if the file became shorter.
 */
export async function* bytesOfPart(path: string, start: number, end: number): AsyncGenerator<Buffer> {
  let left = end - start;
  const stream = left === 0 ? [] : createReadStream(path, { start, end: end - 1, highWaterMark: 1 << 18 });
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    left -= chunk.length;
    yield chunk;
  }
  if (left > 0) throw new IntegrityError(`uploading ${path}: it became ${left} bytes shorter meanwhile`);
}
