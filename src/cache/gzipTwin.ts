import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { WriteStream } from 'node:fs';
import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { temporaryBeside } from '../io/files.ts';
import { gathered } from '../io/gathered.ts';
import type { GzipFile } from '../io/tar.ts';
import type { Digest } from '../oci/digest.ts';

/** Bytes that are written and uncompressed at a time: what arrives is smaller, and costs a third more work. */
const PIECE = 1 << 18;
/** Bytes that may wait for the disk. */
const WAITING = 1 << 20;

/** A layer's bytes on their way into the cache, of which a gzip stream is kept as it is as well. */
export interface Kept {
  /** The same bytes, for who uncompresses them. */
  stream: Readable;
  /** Moves what was kept to its place, once the layer is known to be whole; undefined if it was no gzip stream. */
  keep(): Promise<GzipFile | undefined>;
  /** Forgets what was not kept. */
  drop(): Promise<void>;
}

interface Copy {
  isGzip: boolean;
  size: number;
  digest(): Digest;
  update(chunk: Buffer): void;
}

/**
 * Copies a stream that begins like gzip to a temporary file beside `path` while it is read. `blobDigest` is given where
 * whoever sends the stream fails it for any other bytes.
 */
export function keepingGzip(stream: Readable, path: string, blobDigest: Digest | undefined): Kept {
  const temporary = temporaryBeside(path);
  const copy: Copy = { isGzip: false, size: 0, ...summing(blobDigest) };
  return {
    stream: Readable.from(copied(stream, temporary, copy), { objectMode: false }),
    async keep() {
      if (!copy.isGzip) return undefined;
      await rename(temporary, path);
      return { path, size: copy.size, digest: copy.digest() };
    },
    drop: () => rm(temporary, { force: true }),
  };
}

/** Bytes whose digest is known are not summed again. */
function summing(known: Digest | undefined): Pick<Copy, 'digest' | 'update'> {
  if (known !== undefined) return { digest: () => known, update: () => undefined };
  const sum = createHash('sha256');
  return { digest: () => `sha256:${sum.digest('hex')}`, update: (chunk) => sum.update(chunk) };
}

async function* copied(
  stream: Readable,
  temporary: string,
  copy: Copy,
): AsyncGenerator<Buffer, void, undefined> {
  let file: WriteStream | undefined;
  try {
    for await (const chunk of gathered(stream as AsyncIterable<Buffer>, PIECE)) {
      if (copy.size === 0 && isGzip(chunk)) file = createCopy(temporary, copy);
      if (file !== undefined) await write(file, chunk);
      copy.update(chunk);
      copy.size += chunk.length;
      yield chunk;
    }
    file?.end();
    if (file !== undefined) await finished(file);
  } finally {
    file?.destroy();
  }
}

function isGzip(head: Buffer): boolean {
  return head[0] === 0x1f && head[1] === 0x8b;
}

function createCopy(temporary: string, copy: Copy): WriteStream {
  copy.isGzip = true;
  const file = createWriteStream(temporary, { flags: 'wx', mode: 0o444, highWaterMark: WAITING });
  // Whoever writes next meets the error.
  return file.on('error', () => undefined);
}

async function write(file: WriteStream, chunk: Buffer): Promise<void> {
  if (file.errored) throw file.errored;
  if (!file.write(chunk)) await once(file, 'drain');
}
