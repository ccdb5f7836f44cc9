import { malformed } from './decodeFields.ts';

/** Hands out the bytes of a stream in pieces of the wanted length, however they arrive. */
export class DeltaInput {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #bytes: Uint8Array = new Uint8Array(0);

  constructor(delta: AsyncIterable<Uint8Array>) {
    this.#chunks = delta[Symbol.asyncIterator]();
  }

  /** The next `size` bytes without passing over them; fewer only where the stream ends. */
  async peek(size: number): Promise<Uint8Array> {
    if (this.#bytes.length < size) await this.#gather(size);
    return this.#bytes.subarray(0, size);
  }

  /** Exactly the next `size` bytes; throws IntegrityError when the stream ends before. */
  async take(size: number): Promise<Uint8Array> {
    const bytes = await this.peek(size);
    if (bytes.length < size) throw malformed('it ends in the middle of a window');
    this.#bytes = this.#bytes.subarray(size);
    return bytes;
  }

  /** Lets go of the stream, so that a file behind it is closed. */
  async close(): Promise<void> {
    await this.#chunks.return?.();
  }

  // Grows with what has arrived, not with what a length field claims.
  async #gather(size: number): Promise<void> {
    const pieces = [this.#bytes];
    let gathered = this.#bytes.length;
    while (gathered < size) {
      const next = await this.#chunks.next();
      if (next.done === true) break;
      pieces.push(next.value);
      gathered += next.value.length;
    }
    this.#bytes = pieces.length === 1 ? this.#bytes : Buffer.concat(pieces, gathered);
  }
}
