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
export class StreamReader implements ByteReader {
  readonly #chunks: AsyncIterator<Buffer, unknown>;
  #rest: Buffer = Buffer.alloc(0);
  #position = 0;

  constructor(chunks: AsyncIterable<Buffer>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  get position(): number {
    return this.#position;
  }

  /** The next 1 to `most` bytes, as they arrive. Empty at the end. */
  async some(most: number): Promise<Buffer> {
    while (this.#rest.length === 0) {
      const next = await this.#chunks.next();
      if (next.done === true) return this.#rest;
      this.#rest = next.value;
    }
    const bytes = this.#rest.subarray(0, most);
    this.#rest = this.#rest.subarray(bytes.length);
    this.#position += bytes.length;
    return bytes;
  }

  async read(length: number): Promise<Buffer> {
    const parts: Buffer[] = [];
    for await (const bytes of this.upTo(length)) parts.push(bytes);
    return parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts);
  }

  async skip(length: number): Promise<void> {
    const end = this.#position + length;
    while (this.#position < end && (await this.some(end - this.#position)).length > 0);
  }

  /** The next `length` bytes in pieces, fewer only at the end. */
  async *upTo(length: number): AsyncGenerator<Buffer> {
    for (let left = length; left > 0;) {
      const bytes = await this.some(left);
      if (bytes.length === 0) return;
      left -= bytes.length;
      yield bytes;
    }
  }

  /** Ends the stream and releases its source. */
  close(): void {
    // Not awaited: a stuck stream would delay the error that ends it.
    this.#chunks.return?.().catch(() => undefined);
  }
}
