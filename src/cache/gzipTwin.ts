import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { open, rename, rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { temporaryBeside } from '../io/files.ts';
import type { GzipFile } from '../io/tar.ts';

/** A layer's bytes on their way into the cache, of which a gzip stream is kept as it is as well. */
export interface Kept {
  /** The same bytes, for who uncompresses them. */
  stream: Readable;
  /** Moves what was kept to its place, once the layer is known to be whole; undefined if it was no gzip stream. */
  keep(): Promise<GzipFile | undefined>;
  /** Forgets what was not kept. */
  drop(): Promise<void>;
}

/** Copies a stream that begins like gzip to a temporary file beside `path` while it is read. */
export function keepingGzip(stream: Readable, path: string): Kept {
  const temporary = temporaryBeside(path);
  const copy = { sum: createHash('sha256'), size: 0, isGzip: false };
  return {
    stream: Readable.from(copied(stream, temporary, copy), { objectMode: false }),
    async keep() {
      if (!copy.isGzip) return undefined;
      await rename(temporary, path);
      return { path, size: copy.size, digest: `sha256:${copy.sum.digest('hex')}` };
    },
    drop: () => rm(temporary, { force: true }),
  };
}

async function* copied(
  stream: Readable,
  temporary: string,
  copy: { sum: ReturnType<typeof createHash>; size: number; isGzip: boolean },
): AsyncGenerator<Buffer, void, undefined> {
  let file: FileHandle | undefined;
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      if (copy.size === 0) copy.isGzip = chunk[0] === 0x1f && chunk[1] === 0x8b;
      if (copy.isGzip) {
        file ??= await open(temporary, 'wx', 0o444);
        await file.appendFile(chunk);
        copy.sum.update(chunk);
      }
      copy.size += chunk.length;
      yield chunk;
    }
  } finally {
    await file?.close();
  }
}
