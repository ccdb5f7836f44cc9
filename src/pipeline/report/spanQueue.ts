import type { SpanObserver } from '../../vcdiff/decodeWindow.ts';
import { Weigher } from './weigher.ts';

/** Where a run of bytes comes from: a position in the base layer, the delta, or a repetition. */
export type ByteOrigin = number | 'added' | 'repeated';

/**
 * Is told of the next bytes: where they begin in the piece, how many they are, and their origin.
 * `isBegun`: an earlier piece had the first bytes of the same span.
 */
export type TakeSpan = (at: number, size: number, origin: ByteOrigin, isBegun: boolean) => void;

/**
 * Takes down what a decoder tells of a delta: the weight of its instructions, and the spans that
 * nobody has taken yet, which are those of about one window.
 */
export class SpanQueue implements SpanObserver {
  #sizes: number[] = [];
  #origins: ByteOrigin[] = [];
  #next = 0;
  /** True if some bytes of the next span were taken. */
  #isBegun = false;
  readonly #weigher = new Weigher();
  readonly #instructions = { weight: 0 };

  copied(size: number, position: number): void {
    this.#add(size, position);
  }

  added(size: number): void {
    this.#add(size, 'added');
  }

  repeated(size: number): void {
    this.#add(size, 'repeated');
  }

  encoded(bytes: Uint8Array): void {
    this.#weigher.add(this.#instructions, bytes);
  }

  /** About the bytes of all instructions after compression. Call it at the end. */
  weightOfInstructions(): number {
    this.#weigher.finish();
    return this.#instructions.weight;
  }

  #add(size: number, origin: ByteOrigin): void {
    this.#sizes.push(size);
    this.#origins.push(origin);
  }

  /** Takes the spans of the next `length` bytes, cut at their end. */
  take(length: number, take: TakeSpan): void {
    for (let at = 0; at < length && this.#next < this.#sizes.length;) {
      const size = Math.min(this.#sizes[this.#next] ?? 0, length - at);
      const origin = this.#origins[this.#next] ?? 'added';
      take(at, size, origin, this.#isBegun);
      at += size;
      this.#shorten(size, origin);
    }
    // What is left is copied, so it must not be more than what was taken.
    if (this.#next > 4096 && this.#next > this.#sizes.length / 2) this.#forgetTaken();
  }

  #shorten(size: number, origin: ByteOrigin): void {
    const left = (this.#sizes[this.#next] ?? 0) - size;
    this.#sizes[this.#next] = left;
    this.#isBegun = left > 0;
    if (left === 0) this.#next += 1;
    else if (typeof origin === 'number') this.#origins[this.#next] = origin + size;
  }

  #forgetTaken(): void {
    this.#sizes = this.#sizes.slice(this.#next);
    this.#origins = this.#origins.slice(this.#next);
    this.#next = 0;
  }
}
