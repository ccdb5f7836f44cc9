import { sumOfEight } from '../mix.ts';
import { word } from './bytes.ts';
import { COVER, type Coverage } from './coverage.ts';

const WAYS_BITS = 3;
/** So many positions are kept for bytes with one sum; newer ones replace older ones. */
const WAYS = 1 << WAYS_BITS;
const POSITION_BITS = 24;
const POSITION_MASK = 2 ** POSITION_BITS - 1;
const FEWEST_BITS = 8;
const MOST_BITS = 19;

/** Where the source is covered, every so many bytes are enough. */
const COVERED_STEP = 32;

/** An index can hold positions below this. */
export const INDEX_LIMIT: number = POSITION_MASK;

/** Bytes that a position is found by. */
export const KEY_SIZE = 8;

/**
 * Where in a source its groups of eight bytes occur. Positions with one sum lie side by side, each beside eight more
 * bits of its sum, so that a search touches one cache line and rarely a wrong place of the source.
 */
export class PositionIndex {
  /** Positions that `find` found. */
  readonly found = new Int32Array(WAYS);
  private readonly slots = new Int32Array(2 ** (MOST_BITS + WAYS_BITS));
  private readonly turns = new Uint8Array(2 ** MOST_BITS);
  private shift = 32;

  /** Forgets the previous source, and takes in positions of this one: every `step`th, where it is covered only a few. */
  fill(source: DataView, step: number, coverage: Coverage): void {
    const length = source.byteLength;
    const bits = Math.floor(Math.log2(Math.max(1, coverage.open / step / (WAYS / 2))));
    const used = Math.min(MOST_BITS, Math.max(FEWEST_BITS, bits));
    this.shift = 32 - used;
    this.slots.fill(-1, 0, 2 ** (used + WAYS_BITS));
    // The order of what is found decides between equals: it must not depend on what was indexed before.
    this.turns.fill(0, 0, 2 ** used);
    for (let start = 0; start < length; start += COVER) {
      const end = Math.min(start + COVER, length - KEY_SIZE + 1);
      this.fillBlock(source, start, end, coverage.isCovered(start) ? COVERED_STEP : step);
    }
  }

  private fillBlock(source: DataView, start: number, end: number, step: number): void {
    const { slots, turns, shift } = this;
    let last = 0;
    for (let at = start; at < end; at += step) {
      const sum = sumAt(source, at);
      if (sum === last) continue;
      last = sum;
      const bucket = sum >>> shift;
      slots[(bucket << WAYS_BITS) | (turns[bucket]!++ & (WAYS - 1))] = at | (sum << POSITION_BITS);
    }
  }

  /** Puts the positions where the eight bytes at `at` may occur into `found`, and returns how many there are. */
  find(bytes: DataView, at: number): number {
    const { slots, found } = this;
    const sum = sumAt(bytes, at);
    const first = (sum >>> this.shift) << WAYS_BITS;
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
