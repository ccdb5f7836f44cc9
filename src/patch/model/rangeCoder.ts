import { damaged } from '../damaged.ts';
import type { BitCoder } from './counters.ts';

const TOP = 2 ** 24;
const FIRST_CAPACITY = 1 << 16;

/** Writes bits as a range coder does: likely ones take a small part of a bit. */
export class RangeEncoder implements BitCoder {
  #bytes = Buffer.alloc(FIRST_CAPACITY);
  #length = 0;
  /** Below 2^40: a carry moves into the bytes that are held back. */
  #low = 0;
  #range = 0xffffffff;
  #held = 0;
  #heldCount = 1;

  code(bit: number, probability: number): number {
    const bound = (this.#range >>> 16) * probability;
    if (bit === 1) this.#range = bound;
    else {
      this.#low += bound;
      this.#range -= bound;
    }
    while (this.#range < TOP) {
      this.#range *= 256;
      this.#shift();
    }
    return bit;
  }

  /** All bytes. Nothing may be coded afterwards. */
  finish(): Buffer {
    for (let i = 0; i < 5; i++) this.#shift();
    return this.#bytes.subarray(0, this.#length);
  }

  #shift(): void {
    if (this.#low < 0xff000000 || this.#low >= 2 ** 32) {
      const carry = this.#low >= 2 ** 32 ? 1 : 0;
      this.#append(this.#held + carry);
      while (--this.#heldCount > 0) this.#append(0xff + carry);
      this.#held = Math.floor(this.#low / TOP) & 255;
    }
    this.#heldCount++;
    this.#low = (this.#low % TOP) * 256;
  }

  #append(byte: number): void {
    if (this.#length === this.#bytes.length) {
      this.#bytes = Buffer.concat([this.#bytes, Buffer.alloc(this.#bytes.length)]);
    }
    this.#bytes[this.#length++] = byte & 255;
  }
}

/**
 * Reads the bits that a RangeEncoder wrote. `next` returns the next byte, and throws at the end.
 */
export class RangeDecoder implements BitCoder {
  readonly #next: () => number;
  #range = 0xffffffff;
  #code = 0;

  /** Throws IntegrityError if the coded part does not begin with a zero. */
  constructor(next: () => number) {
    this.#next = next;
    if (next() !== 0) throw damaged('its coded part begins wrongly');
    for (let i = 0; i < 4; i++) this.#code = this.#code * 256 + next();
  }

  /** True if exactly what the encoder wrote has been read. */
  get isDone(): boolean {
    return this.#code === 0;
  }

  code(_bit: number, probability: number): number {
    const bound = (this.#range >>> 16) * probability;
    const bit = this.#code < bound ? 1 : 0;
    if (bit === 1) this.#range = bound;
    else {
      this.#code -= bound;
      this.#range -= bound;
    }
    while (this.#range < TOP) {
      this.#range *= 256;
      this.#code = this.#code * 256 + this.#next();
    }
    return bit;
  }
}
