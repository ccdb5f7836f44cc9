import { damaged } from './damaged.ts';

/** More bytes than a decoder reads between two looks at `isLow`. */
const RESERVE = 1024;

/** The bytes of a patch, which arrive in chunks and are taken one by one. */
export class PatchInput {
  readonly #chunks: AsyncIterator<Uint8Array, unknown>;
  #bytes: Buffer = Buffer.alloc(0);
  #at = 0;
  #hasEnded = false;

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  /** True if `fill` should be called before more bytes are taken. */
  get isLow(): boolean {
    return !this.#hasEnded && this.#bytes.length - this.#at < RESERVE;
  }

  /** True if the patch has ended and all its bytes were taken. */
  get isAtEnd(): boolean {
    return this.#hasEnded && this.#at === this.#bytes.length;
  }

  /**
   * The bytes that were not taken yet; after `fill`, at least `size`, unless the patch is shorter.
   */
  get rest(): Buffer {
    return this.#bytes.subarray(this.#at);
  }

  /** Waits until there are `size` bytes, or until the patch ends. */
  async fill(size: number = RESERVE): Promise<void> {
    const parts: Uint8Array[] = [this.rest];
    let length = this.#bytes.length - this.#at;
    while (length < size && !this.#hasEnded) {
      const { value, done } = await this.#chunks.next();
      if (done === true) this.#hasEnded = true;
      else {
        parts.push(value);
        length += value.length;
      }
    }
    this.#bytes = Buffer.concat(parts);
    this.#at = 0;
  }

  /** Leaves out `count` bytes. */
  skip(count: number): void {
    this.#at += count;
  }

  /** The next byte. Throws IntegrityError at the end of the patch. */
  next(): number {
    if (this.#at === this.#bytes.length) throw damaged('it ends early');
    return this.#bytes[this.#at++]!;
  }

  /** Lets the source of the chunks clean up. */
  async close(): Promise<void> {
    await this.#chunks.return?.();
  }
}
