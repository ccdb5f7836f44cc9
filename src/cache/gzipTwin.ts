import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { writeAtomically } from '../io/files.ts';
import { gathered } from '../io/gathered.ts';
import type { GzipFile } from '../io/tar.ts';
import { writeAll } from '../io/writeFrom.ts';
import type { Digest } from '../oci/digest.ts';

/** Bytes that are written and uncompressed at a time: what arrives is smaller, and costs a third more work. */
const PIECE = 1 << 18;

/**
 * Copies a gzip stream to `path` while `unpack` reads it, once that has found it whole; `unpacked` is what it returned. It
 * gets the file as it grows, and the chunks, each when it is in the file; it must read them to their end. `blobDigest` is given
 * where whoever sends the stream fails it for any other bytes. A failure leaves nothing at `path`.
 */
export function keepGzip<T>(
  path: string,
  chunks: AsyncIterable<Buffer>,
  blobDigest: Digest | undefined,
  unpack: (file: string, written: AsyncIterable<Buffer>) => Promise<T>,
): Promise<{ gzipped: GzipFile; unpacked: T }> {
  const copy = { size: 0, ...summing(blobDigest) };
  return writeAtomically(path, async (temporary) => {
    const unpacked = await unpack(temporary, copied(chunks, temporary, copy));
    return { gzipped: { path, size: copy.size, digest: copy.digest() }, unpacked };
  });
}

interface Copy {
  size: number;
  digest(): Digest;
  update(chunk: Buffer): void;
}

/** Bytes whose digest is known are not summed again. */
function summing(known: Digest | undefined): Pick<Copy, 'digest' | 'update'> {
  if (known !== undefined) return { digest: () => known, update: () => undefined };
  const sum = createHash('sha256');
  return { digest: () => `sha256:${sum.digest('hex')}`, update: (chunk) => sum.update(chunk) };
}

async function* copied(
  chunks: AsyncIterable<Buffer>,
  path: string,
  copy: Copy,
): AsyncGenerator<Buffer, void, undefined> {
  const file = await open(path, 'wx', 0o444);
  try {
    for await (const chunk of gathered(chunks, PIECE)) {
      await writeAll(file, chunk, copy.size);
      copy.update(chunk);
      copy.size += chunk.length;
      yield chunk;
    }
  } finally {
    await file.close();
  }
}
