import { LONGEST_VARINT, varintLength, writeVarint } from './varint.ts';

/** A growing buffer. `clear` keeps its memory. */
export class ByteSink {
  length = 0;
  #bytes: Uint8Array = new Uint8Array(4096);

  /** Removes all bytes. */
  clear(): void {
    this.length = 0;
  }

  /** Appends one byte. */
  byte(value: number): void {
    if (this.length === this.#bytes.length) this.#reserve(1);
    this.#bytes[this.length++] = value;
  }

  /** Appends a varint. */
  varint(value: number): void {
    if (value < 128) {
      this.byte(value);
      return;
    }
    this.#reserve(Math.min(LONGEST_VARINT, varintLength(value)));
    this.length = writeVarint(this.#bytes, this.length, value);
  }

  /** Appends `source` from `start` up to `end`. */
  append(source: Uint8Array, start: number, end: number): void {
    this.#reserve(end - start);
    this.#bytes.set(source.subarray(start, end), this.length);
    this.length += end - start;
  }

  /** The last byte. */
  get last(): number {
    return this.#bytes[this.length - 1]!;
  }

  set last(value: number) {
    this.#bytes[this.length - 1] = value;
  }

  /** All bytes so far. Valid until the next call. */
  get content(): Uint8Array {
    return this.#bytes.subarray(0, this.length);
  }

  #reserve(count: number): void {
    if (this.length + count <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.length + count));
    grown.set(this.content);
    this.#bytes = grown;
  }
}
