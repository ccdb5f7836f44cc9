import { sumOfEight } from '../mix.ts';
import { word } from '../../simd/bytes.ts';
import { COVER, type Coverage } from './coverage.ts';

const WAYS_BITS = 3;
/** Positions that are kept per bucket. Newer ones replace older ones. */
const WAYS = 1 << WAYS_BITS;
const POSITION_BITS = 24;
const POSITION_MASK = 2 ** POSITION_BITS - 1;
const FEWEST_BITS = 8;
const MOST_BITS = 19;

/** In covered parts of the source, every 32nd byte is indexed. */
const COVERED_STEP = 32;

/** Positions are smaller than this. */
export const INDEX_LIMIT: number = POSITION_MASK;

/** A position is found by this many bytes. */
export const KEY_SIZE = 8;

/**
 * Where the groups of eight bytes of a source occur. The positions of a bucket are next to each
 * other, each with eight more bits of its sum, so a search touches one cache line and rarely a
 * wrong place of the source.
 */
export class PositionIndex {
  /** Positions that `find` found. */
  readonly found = new Int32Array(WAYS);
  readonly #slots = new Int32Array(2 ** (MOST_BITS + WAYS_BITS));
  readonly #turns = new Uint8Array(2 ** MOST_BITS);
  #shift = 32;

  /**
   * Forgets the previous source, and indexes every `step`th position of this one, fewer in covered
   * parts.
   */
  fill(source: DataView, step: number, coverage: Coverage): void {
    const length = source.byteLength;
    const bits = Math.floor(Math.log2(Math.max(1, coverage.open / step / (WAYS / 2))));
    const used = Math.min(MOST_BITS, Math.max(FEWEST_BITS, bits));
    this.#shift = 32 - used;
    this.#slots.fill(-1, 0, 2 ** (used + WAYS_BITS));
    // The order of positions decides between equal matches. It must not depend on earlier sources.
    this.#turns.fill(0, 0, 2 ** used);
    for (let start = 0; start < length; start += COVER) {
      const end = Math.min(start + COVER, length - KEY_SIZE + 1);
      this.#fillBlock(source, start, end, coverage.isCovered(start) ? COVERED_STEP : step);
    }
  }

  #fillBlock(source: DataView, start: number, end: number, step: number): void {
    const slots = this.#slots;
    const turns = this.#turns;
    const shift = this.#shift;
    let last = 0;
    for (let at = start; at < end; at += step) {
      const sum = sumAt(source, at);
      if (sum === last) continue;
      last = sum;
      const bucket = sum >>> shift;
      slots[(bucket << WAYS_BITS) | (turns[bucket]!++ & (WAYS - 1))] = at | (sum << POSITION_BITS);
    }
  }

  /**
   * Stores the positions where the eight bytes at `at` may occur in `found`, and returns their
   * number.
   */
  find(bytes: DataView, at: number): number {
    const { found } = this;
    const slots = this.#slots;
    const sum = sumAt(bytes, at);
    const first = (sum >>> this.#shift) << WAYS_BITS;
    let count = 0;
    for (let slot = first; slot < first + WAYS; slot++) {
      const entry = slots[slot]!;
      if ((entry ^ (sum << POSITION_BITS)) >>> POSITION_BITS === 0) found[count++] = entry & POSITION_MASK;
    }
    return count;
  }
}

function sumAt(bytes: DataView, at: number): number {
  return sumOfEight(word(bytes, at), word(bytes, at + 4));
}
