import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { IntegrityError } from '../errors.ts';
import { fileError } from '../io/files.ts';
import type { Digest } from '../oci/digest.ts';

/** What a library wants to know of a file before it takes it. */
export interface Checksums {
  digest: Digest;
  /** Hexadecimal; for storage that compares nothing else. */
  md5: string;
  /** Bytes. */
  size: number;
}

/** Reads the file once; throws UsageError if it can't be read. */
export async function checksumsOf(path: string): Promise<Checksums> {
  const [sha256, md5] = [createHash('sha256'), createHash('md5')];
  let size = 0;
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 }) as AsyncIterable<Buffer>) {
      size += chunk.length;
      sha256.update(chunk);
      md5.update(chunk);
    }
  } catch (error) {
    throw fileError(error, `reading ${path}`);
  }
  return { digest: `sha256:${sha256.digest('hex')}`, md5: md5.digest('hex'), size };
}

/** The digest of one stretch of a file. */
export async function digestOfStretch(path: string, start: number, end: number): Promise<string> {
  const sum = createHash('sha256');
  for await (const chunk of bytesOfStretch(path, start, end)) sum.update(chunk);
  return sum.digest('hex');
}

/** The bytes from `start` to before `end`; throws IntegrityError when the file became shorter. */
export async function* bytesOfStretch(path: string, start: number, end: number): AsyncGenerator<Buffer> {
  let left = end - start;
  const stream = left === 0 ? [] : createReadStream(path, { start, end: end - 1, highWaterMark: 1 << 18 });
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    left -= chunk.length;
    yield chunk;
  }
  if (left > 0) throw new IntegrityError(`uploading ${path}: ${left} bytes less than expected: it changed`);
}
