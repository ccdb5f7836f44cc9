import { createHash } from 'node:crypto';
import { IntegrityError } from '../errors.ts';
import type { Digest } from '../oci/digest.ts';
import { readAhead } from './readAhead.ts';

export interface Expected {
  digest: Digest;
  /** Bytes; a longer stream is cut off with an error as soon as it exceeds this. */
  size?: number;
}

/**
 * Passes the chunks on and fails at the end, before the consumer sees it, unless they are exactly what was expected; so
 * that a consumer can't forget to check. `what` names the content in the IntegrityError.
 */
export async function* verified(
  chunks: AsyncIterable<Buffer>,
  expected: Expected,
  what: string,
): AsyncGenerator<Buffer, void, undefined> {
  const sum = createHash('sha256');
  let size = 0;
  for await (const chunk of chunks) {
    size += chunk.length;
    if (expected.size !== undefined && size > expected.size) throw tooLong(what, expected.size);
    sum.update(chunk);
    yield chunk;
  }
  if (expected.size !== undefined && size !== expected.size) throw tooShort(what, expected.size, size);
  const found: Digest = `sha256:${sum.digest('hex')}`;
  if (found !== expected.digest) throw wrongDigest(what, expected.digest, found);
}

function tooLong(what: string, size: number): IntegrityError {
  return new IntegrityError(`${what}: more than the expected ${size} bytes arrived`);
}

function tooShort(what: string, expected: number, found: number): IntegrityError {
  return new IntegrityError(`${what}: expected ${expected} bytes, found ${found}`);
}

function wrongDigest(what: string, expected: Digest, found: Digest): IntegrityError {
  return new IntegrityError(`${what}: expected ${expected}, found ${found}`);
}

/** Digest and length in bytes of a file, read as a stream. */
export async function digestOfFile(path: string): Promise<{ digest: Digest; size: number }> {
  const sum = createHash('sha256');
  let size = 0;
  for await (const block of readAhead(path)) {
    size += block.length;
    sum.update(block);
  }
  return { digest: `sha256:${sum.digest('hex')}`, size };
}
