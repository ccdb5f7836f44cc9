import { matchLength, viewOf } from '../builtin/bytes.ts';
import { CopyList } from '../../patch/copyList.ts';
import { hashAt, LONG_SEED, type SeedIndex } from './seedIndex.ts';

/** The shortest copy (bytes) that costs less than its bytes as literals. */
const SHORTEST = 32;
const MOST_CANDIDATES = 8;
/** The target's own seeds that are held: the latest of each hash. */
const OWN_BITS = 20;

/**
 * The copies, and exact ones for the gaps between them: from anywhere in the sources, or from the
 * last `window` bytes of the target. Addresses in the target follow those of the sources.
 */
export function fillGaps(target: Uint8Array, copies: CopyList, sources: SeedIndex, window: number): CopyList {
  const filler = new GapFiller(target, sources, window);
  let at = 0;
  for (let copy = 0; copy < copies.count; copy++) {
    filler.fill(at, copies.at[copy]!);
    filler.copies.add(copies.at[copy]!, copies.from[copy]!, copies.size[copy]!);
    at = copies.end(copy);
  }
  filler.fill(at, target.length);
  return filler.copies;
}

class GapFiller {
  readonly copies = new CopyList();
  readonly #target: DataView;
  readonly #sources: SeedIndex;
  readonly #window: number;
  readonly #own = new Int32Array(2 ** OWN_BITS).fill(-1);
  /** Where the best match for the current position begins, in the target and as an address. */
  #bestAt = 0;
  #bestFrom = 0;
  #bestSize = 0;

  constructor(target: Uint8Array, sources: SeedIndex, window: number) {
    this.#target = viewOf(target);
    this.#sources = sources;
    this.#window = window;
  }

  fill(start: number, end: number): void {
    let done = start;
    let at = start;
    while (at + Math.max(SHORTEST, LONG_SEED) <= end) {
      this.#find(at, done, end);
      if (this.#bestSize < SHORTEST) {
        at++;
        continue;
      }
      this.copies.add(this.#bestAt, this.#bestFrom, this.#bestSize);
      done = this.#bestAt + this.#bestSize;
      for (at++; at < done && at + LONG_SEED <= end; at++) this.#remember(at);
      at = done;
    }
  }

  #find(at: number, done: number, end: number): void {
    const { bytes, start, step, heads, next } = this.#sources;
    this.#bestSize = 0;
    const own = this.#remember(at);
    if (own >= 0 && at - own <= this.#window) {
      this.#consider(this.#target, own, at, done, end, bytes.byteLength);
    }
    let slot = next.length === 0 ? -1 : heads[hashAt(this.#sources, this.#target, at)]!;
    for (let tries = 0; slot >= 0 && tries < MOST_CANDIDATES; tries++) {
      this.#consider(bytes, start + slot * step, at, done, end, 0);
      slot = next[slot]!;
    }
  }

  /** Remembers the seed at `at`, and returns where it was before, or -1. */
  #remember(at: number): number {
    const slot = hashAt({ seed: LONG_SEED, shift: 32 - OWN_BITS }, this.#target, at);
    const earlier = this.#own[slot]!;
    this.#own[slot] = at;
    return earlier;
  }

  #consider(bytes: DataView, from: number, at: number, done: number, end: number, base: number): void {
    const size = matchLength(this.#target, at, bytes, from, Math.min(end - at, bytes.byteLength - from));
    if (size < LONG_SEED) return;
    let back = 0;
    while (
      back < from &&
      at - back > done &&
      this.#target.getUint8(at - back - 1) === bytes.getUint8(from - back - 1)
    )
      back++;
    if (size + back <= this.#bestSize) return;
    this.#bestSize = size + back;
    this.#bestAt = at - back;
    this.#bestFrom = base + from - back;
  }
}
