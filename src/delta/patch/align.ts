import { matchLength, viewOf } from '../builtin/bytes.ts';
import type { CopyList } from '../../patch/copyList.ts';
import { hashAt, indexSeeds, type SeedIndex } from './seedIndex.ts';

/** Places with the seed that are looked at. */
const MOST_CANDIDATES = 24;
/** An exact match of this length (bytes) on the current diagonal is not questioned. */
const GOOD = 32;
/** A match elsewhere must equal this many bytes more than the current diagonal. */
const GAIN = 8;

/** A part of the sources or of the target: [start, end) of `bytes`. */
export interface Part {
  bytes: Uint8Array;
  start: number;
  end: number;
}

/**
 * Copies that make `target` from `source`, and may differ from it in single bytes. The idea is
 * bsdiff's: an exact match chooses the diagonal, and the copy extends from it in both directions as
 * long as most bytes are equal. A differing byte costs as much as `penalty` equal bytes gain.
 */
export function align(target: Part, source: Part, penalty: number, copies: CopyList): void {
  new Aligner(target, source, penalty, copies).run();
}

class Aligner {
  readonly #target: Part;
  readonly #source: Part;
  readonly #penalty: number;
  readonly #copies: CopyList;
  readonly #index: SeedIndex;
  readonly #new: DataView;
  readonly #old: DataView;
  /** The match that `#findBest` found. */
  #bestFrom = 0;
  #bestSize = 0;
  /** Where the current copy begins, before it is extended. */
  #copyAt: number;
  #copyFrom: number;

  constructor(target: Part, source: Part, penalty: number, copies: CopyList) {
    this.#target = target;
    this.#source = source;
    this.#penalty = penalty;
    this.#copies = copies;
    this.#index = indexSeeds(source.bytes, source.start, source.end);
    this.#new = viewOf(target.bytes);
    this.#old = viewOf(source.bytes);
    this.#copyAt = target.start;
    this.#copyFrom = source.start;
  }

  run(): void {
    const { end } = this.#target;
    let at = this.#target.start;
    while (at < end) {
      const size = this.#matchAt(at, at - this.#copyAt + this.#copyFrom);
      if (size >= GOOD) {
        at += size;
        continue;
      }
      at = this.#findSwitch(at);
      if (at < end) {
        this.#finishCopy(at, this.#bestFrom);
        at += this.#bestSize;
      }
    }
    this.#finishCopy(end, undefined);
  }

  /**
   * The next position from `at` on where another diagonal is clearly better than the current one.
   */
  #findSwitch(start: number): number {
    const { end } = this.#target;
    const distance = this.#copyFrom - this.#copyAt;
    let counted = start;
    let same = 0;
    for (let at = start; at < end; at++) {
      this.#findBest(at);
      for (; counted < at + this.#bestSize; counted++) if (this.#isSame(counted, distance)) same++;
      if (this.#bestSize > same + GAIN) return at;
      // The current diagonal is as good: pass the match.
      if (this.#bestSize >= GOOD && this.#bestSize === same) {
        at += this.#bestSize - 1;
        same = 0;
        counted = at + 1;
      } else if (at < counted && this.#isSame(at, distance)) same--;
      counted = Math.max(counted, at + 1);
    }
    return end;
  }

  #isSame(at: number, distance: number): boolean {
    const from = at + distance;
    const { start, end } = this.#source;
    return from >= start && from < end && this.#new.getUint8(at) === this.#old.getUint8(from);
  }

  #matchAt(at: number, from: number): number {
    if (from < this.#source.start || from >= this.#source.end) return 0;
    const limit = Math.min(this.#target.end - at, this.#source.end - from);
    return matchLength(this.#new, at, this.#old, from, limit);
  }

  #findBest(at: number): void {
    this.#bestSize = 0;
    const index = this.#index;
    if (at + index.seed > this.#target.end || index.next.length === 0) return;
    let slot = index.heads[hashAt(index, this.#new, at)]!;
    for (let tries = 0; slot >= 0 && tries < MOST_CANDIDATES; tries++) {
      const from = index.start + slot * index.step;
      const size = this.#matchAt(at, from);
      if (size > this.#bestSize) {
        this.#bestSize = size;
        this.#bestFrom = from;
      }
      slot = index.next[slot]!;
    }
  }

  /** Ends the current copy before `next`, and begins one there that reads from `from`. */
  #finishCopy(next: number, from: number | undefined): void {
    let forward = this.#extendForward(next);
    let back = from === undefined ? 0 : this.#extendBack(next, from);
    const overlap = this.#copyAt + forward - (next - back);
    if (from !== undefined && overlap > 0) {
      const kept = this.#shareOverlap(next - back, from - back, overlap);
      forward += kept - overlap;
      back -= kept;
    }
    this.#copies.add(this.#copyAt, this.#copyFrom, forward);
    if (from === undefined) return;
    this.#copyAt = next - back;
    this.#copyFrom = from - back;
  }

  #extendForward(limit: number): number {
    const distance = this.#copyFrom - this.#copyAt;
    const end = Math.min(limit, this.#source.end - distance);
    let score = 0;
    let bestScore = 0;
    let best = 0;
    for (let at = this.#copyAt; at < end; at++) {
      score += this.#new.getUint8(at) === this.#old.getUint8(at + distance) ? 1 : -this.#penalty;
      if (score <= bestScore) continue;
      bestScore = score;
      best = at + 1 - this.#copyAt;
    }
    return best;
  }

  #extendBack(next: number, from: number): number {
    const limit = Math.min(next - this.#copyAt, from - this.#source.start);
    let score = 0;
    let bestScore = 0;
    let best = 0;
    for (let back = 1; back <= limit; back++) {
      score += this.#new.getUint8(next - back) === this.#old.getUint8(from - back) ? 1 : -this.#penalty;
      if (score <= bestScore) continue;
      bestScore = score;
      best = back;
    }
    return best;
  }

  /** The bytes of the overlap from `start` on that the earlier copy keeps. */
  #shareOverlap(start: number, from: number, overlap: number): number {
    const distance = this.#copyFrom - this.#copyAt;
    let score = 0;
    let bestScore = 0;
    let kept = 0;
    for (let at = start; at < start + overlap; at++) {
      const byte = this.#new.getUint8(at);
      if (byte === this.#old.getUint8(at + distance)) score++;
      if (byte === this.#old.getUint8(at - start + from)) score--;
      if (score <= bestScore) continue;
      bestScore = score;
      kept = at + 1 - start;
    }
    return kept;
  }
}
