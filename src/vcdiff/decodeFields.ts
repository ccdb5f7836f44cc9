import { IntegrityError } from '../errors.ts';

/** Reads bytes and numbers one after another, and refuses to read past the end. */
export class Fields {
  readonly bytes: Uint8Array;
  /** Of the next byte. */
  position: number;
  /** Of the first byte that is no longer a part of this section. */
  readonly end: number;
  readonly #what: string;

  constructor(bytes: Uint8Array, start: number, end: number, what: string) {
    this.bytes = bytes;
    this.position = start;
    this.end = end;
    this.#what = what;
  }

  byte(): number {
    if (this.position >= this.end) throw malformed(`the ${this.#what} end too early`);
    return this.bytes[this.position++]!;
  }

  /** A base-128 number, high bits first, in its shortest form, of at most `largest`. RFC 3284 section 2. */
  number(largest: number): number {
    let byte = this.byte();
    if (byte === 0x80) throw malformed(`the ${this.#what} hold a number that is not in its shortest form`);
    let value = byte & 0x7f;
    while (byte >= 0x80) {
      byte = this.byte();
      value = value * 128 + (byte & 0x7f);
      if (value > largest) throw malformed(`the ${this.#what} hold a number above ${largest}`);
    }
    return value;
  }

  /** The start of `size` bytes that are passed over. */
  skip(size: number): number {
    const start = this.position;
    if (size > this.end - start) throw malformed(`the ${this.#what} end too early`);
    this.position = start + size;
    return start;
  }

  expectEnd(): void {
    const left = this.end - this.position;
    if (left !== 0) throw malformed(`${left} bytes of the ${this.#what} are left over`);
  }
}

/** The error for a delta that is no well-formed VCDIFF, or not one for this source. */
export function malformed(what: string): IntegrityError {
  return new IntegrityError(`the delta is damaged: ${what}`);
}
