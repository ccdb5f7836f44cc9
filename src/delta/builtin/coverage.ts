import { WINDOW_SIZE } from '../../vcdiff/format.ts';
import { toHighBits } from '../mix.ts';
import { matchLength, viewOf } from '../../simd/bytes.ts';
import { FEWEST_BITS, LANDMARK_SIZE } from './landmarkScan.ts';
import { eachLandmark } from './landmarks.ts';
import type { Source, EncodedRange } from './types.ts';

/** The unit (bytes) in which the source is covered or not. */
export const COVER = 64;

const SLOTS_BITS = 17;
/** Matches do not overlap, so a window has no more of them. */
const MOST_MATCHES = WINDOW_SIZE / LANDMARK_SIZE;
/** The largest source (bytes). */
const LARGEST = 1 << 24;

/**
 * Which parts of a source occur in the target, by their landmarks. A part that the target copies as
 * a whole need not be found byte by byte; to index all of a source would take longer than
 * everything else.
 */
export class Coverage {
  /** Bytes that are not covered. */
  open = 0;
  readonly #covered = new Uint8Array(LARGEST / COVER);
  readonly #slots = new Int32Array(1 << SLOTS_BITS);
  /**
   * The matches in the order of the target: start and end in the target, and source minus target.
   */
  #count = 0;
  readonly #start = new Int32Array(MOST_MATCHES);
  readonly #end = new Int32Array(MOST_MATCHES);
  readonly #distance = new Int32Array(MOST_MATCHES);
  /** The last match that `fromOf` looked at. */
  #next = 0;
  #targetView = viewOf(new Uint8Array());
  #sourceView = viewOf(new Uint8Array());

  /** Forgets the previous source, and finds the matches of this one. */
  find(target: EncodedRange, source: Source): void {
    this.#covered.fill(0, 0, Math.ceil(source.length / COVER));
    this.#slots.fill(-1);
    this.open = source.length;
    this.#count = 0;
    this.#next = 0;
    this.#targetView = viewOf(target.bytes);
    this.#sourceView = viewOf(source.bytes, source.length);
    eachLandmark(source.bytes, 0, source.length, FEWEST_BITS, (sum, from) => {
      this.#slots[slotOf(sum)] = from;
    });
    let { distance } = source;
    let done = target.start;
    eachLandmark(target.bytes, target.start, target.end, FEWEST_BITS, (sum, at) => {
      if (at < done) return;
      const size = this.#matchAt(at, at + distance, target.end);
      const elsewhere = size < LANDMARK_SIZE ? this.#slots[slotOf(sum)]! : -1;
      if (elsewhere >= 0) distance = elsewhere - at;
      const best = elsewhere < 0 ? size : this.#matchAt(at, elsewhere, target.end);
      if (best < LANDMARK_SIZE) return;
      const start = at - this.#backwards(at, at + distance, done);
      done = at + best;
      this.#start[this.#count] = start;
      this.#end[this.#count] = done;
      this.#distance[this.#count++] = distance;
      this.#cover(start + distance, done - start);
    });
  }

  /** True if the unit of the byte at `position` is covered. */
  isCovered(position: number): boolean {
    return this.#covered[position / COVER] === 1;
  }

  /**
   * The position in the source that a match pairs with the target's byte at `at`, or -1. Call it
   * with rising positions.
   */
  fromOf(at: number): number {
    while (this.#next < this.#count && this.#end[this.#next]! <= at) this.#next++;
    return this.#next < this.#count && this.#start[this.#next]! <= at ? at + this.#distance[this.#next]! : -1;
  }

  #backwards(at: number, from: number, done: number): number {
    const targetView = this.#targetView;
    const sourceView = this.#sourceView;
    const limit = Math.min(at - done, from);
    let back = 0;
    while (back < limit && targetView.getUint8(at - back - 1) === sourceView.getUint8(from - back - 1))
      back++;
    return back;
  }

  #matchAt(at: number, from: number, end: number): number {
    const targetView = this.#targetView;
    const sourceView = this.#sourceView;
    if (from < 0 || from >= sourceView.byteLength) return 0;
    return matchLength(targetView, at, sourceView, from, Math.min(end - at, sourceView.byteLength - from));
  }

  #cover(from: number, size: number): void {
    const end = Math.floor((from + size) / COVER);
    for (let unit = Math.ceil(from / COVER); unit < end; unit++) {
      if (this.#covered[unit] === 0) this.open -= COVER;
      this.#covered[unit] = 1;
    }
  }
}

function slotOf(sum: number): number {
  return toHighBits(sum) >>> (32 - SLOTS_BITS);
}
