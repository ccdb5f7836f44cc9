import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { open } from 'node:fs/promises';
import { IntegrityError } from '../errors.ts';
import type { Digest } from '../oci/digest.ts';

export interface Expected {
  digest: Digest;
  /** Bytes. A longer stream fails as soon as it exceeds them. */
  size?: number;
}

/**
 * Passes the chunks on. Throws IntegrityError before the end if they are not exactly what is
 * expected, so that a consumer can't forget to check. `what` names the content in the error.
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

/** Reads a file, and returns its digest and its size in bytes. */
export async function digestOfFile(path: string): Promise<{ digest: Digest; size: number }> {
  const sum = createHash('sha256');
  let size = 0;
  for await (const block of readAhead(path)) {
    size += block.length;
    sum.update(block);
  }
  return { digest: `sha256:${sum.digest('hex')}`, size };
}

const BLOCK = 1 << 20;

/**
 * The bytes of a file in blocks of 1 MiB. The next block is read meanwhile. Throws the disk's own
 * error.
 */
export async function* readAhead(path: string): AsyncGenerator<Buffer, void, undefined> {
  const file = await open(path);
  let next = readBlock(file, 0);
  try {
    let block = await next;
    for (let at = block.length; block.length > 0; at += block.length) {
      next = readBlock(file, at);
      // An error surfaces when the next block is requested.
      next.catch(() => undefined);
      yield block;
      block = await next;
    }
  } finally {
    await next.catch(() => undefined);
    await file.close();
  }
}

async function readBlock(file: FileHandle, at: number): Promise<Buffer> {
  const block = Buffer.allocUnsafeSlow(BLOCK);
  const { bytesRead } = await file.read(block, 0, BLOCK, at);
  return block.subarray(0, bytesRead);
}
