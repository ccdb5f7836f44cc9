import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { IntegrityError } from '../errors.ts';
import type { Digest } from '../oci/digest.ts';

export interface Expected {
  digest: Digest;
  /** Bytes; a longer stream is cut off with an error as soon as it exceeds this. */
  size?: number;
}

/**
 * Passes bytes through and fails at the end, before the consumer sees it, unless they are exactly what was expected;
 * so that a consumer can't forget to check. `what` names the content in the IntegrityError.
 */
export function verifying(expected: Expected, what: string): Transform {
  const sum = createHash('sha256');
  let size = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      size += chunk.length;
      sum.update(chunk);
      done(expected.size !== undefined && size > expected.size ? tooLong(what, expected.size) : null, chunk);
    },
    flush(done) {
      const found: Digest = `sha256:${sum.digest('hex')}`;
      if (expected.size !== undefined && size !== expected.size) done(tooShort(what, expected.size, size));
      else done(found === expected.digest ? null : wrongDigest(what, expected.digest, found));
    },
  });
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
  await pipeline(
    createReadStream(path, { highWaterMark: 1 << 20 }),
    async (chunks: AsyncIterable<Buffer>) => {
      for await (const chunk of chunks) {
        size += chunk.length;
        sum.update(chunk);
      }
    },
  );
  return { digest: `sha256:${sum.digest('hex')}`, size };
}
