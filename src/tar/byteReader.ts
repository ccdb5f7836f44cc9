import type { FileHandle } from 'node:fs/promises';

/** Bytes that are read from front to back. */
export interface ByteReader {
  /** Bytes read and skipped so far. */
  readonly position: number;
  /**
   * Exactly `length` bytes, fewer only at the end. For small lengths, as they are held in memory.
   */
  read(length: number): Promise<Buffer>;
  /** Skips `length` bytes, fewer only at the end. */
  skip(length: number): Promise<void>;
}

/** Bytes that arrive as a stream. */
export interface StreamReader extends ByteReader {
  /** The next 1 to `most` bytes, as they arrive. Empty at the end. */
  some(most: number): Promise<Buffer>;
  /** Ends the stream and releases its source. */
  close(): void;
}

/** Reads a file of `size` bytes. Skipped bytes are never read. */
export function fileReader(file: FileHandle, size: number): ByteReader {
  let position = 0;
  return {
    get position() {
      return position;
    },
    async read(length) {
      const buffer = Buffer.alloc(Math.max(0, Math.min(length, size - position)));
      const bytes = await readFully(file, buffer, position);
      position += bytes.length;
      return bytes;
    },
    skip(length) {
      position = Math.min(size, position + length);
      return Promise.resolve();
    },
  };
}

async function readFully(file: FileHandle, buffer: Buffer, position: number): Promise<Buffer> {
  let filled = 0;
  while (filled < buffer.length) {
    const { bytesRead } = await file.read(buffer, filled, buffer.length - filled, position + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return buffer.subarray(0, filled);
}

/** Reads chunks one after the other, and holds one at a time. */
export function streamReader(chunks: AsyncIterable<Buffer>): StreamReader {
  const iterator = chunks[Symbol.asyncIterator]();
  let rest: Buffer = Buffer.alloc(0);
  let position = 0;

  async function some(most: number): Promise<Buffer> {
    while (rest.length === 0) {
      const next: IteratorResult<Buffer, unknown> = await iterator.next();
      if (next.done === true) return rest;
      rest = next.value;
    }
    const bytes = rest.subarray(0, most);
    rest = rest.subarray(bytes.length);
    position += bytes.length;
    return bytes;
  }

  return {
    get position() {
      return position;
    },
    some,
    close() {
      // Not awaited: a stuck stream would delay the error that ends it.
      iterator.return?.().catch(() => undefined);
    },
    async read(length) {
      const parts: Buffer[] = [];
      for await (const bytes of upTo(length, some)) parts.push(bytes);
      return parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts);
    },
    async skip(length) {
      const end = position + length;
      while (position < end && (await some(end - position)).length > 0);
    },
  };
}

/** The next `length` bytes of a stream in pieces, fewer only at the end. */
export async function* upTo(length: number, some: (most: number) => Promise<Buffer>): AsyncGenerator<Buffer> {
  for (let left = length; left > 0;) {
    const bytes = await some(left);
    if (bytes.length === 0) return;
    left -= bytes.length;
    yield bytes;
  }
}
