import { CopyList } from '../../vcdiff/copyList.ts';

/** A differing byte of a text costs more than one of an executable: its literals are cheaper. */
const PENALTY = { text: 3, binary: 1 } as const;
/** Bytes that tell a text from other content. */
const SNIFFED = 32;
/** A copy at another distance must equal this many bytes more than the current distance does. */
const GAIN = 8;

/**
 * Makes exact copies longer, so that they differ from the target in single bytes. The idea is
 * bsdiff's: an exact copy chooses the distance, and it extends in both directions as long as most
 * bytes are equal. A differing byte costs as much as PENALTY equal bytes gain.
 */
export class CopyExtender {
  readonly #new: Buffer;
  readonly #old: Buffer;
  readonly #copies = new CopyList();
  /** The current copy. Before the first one, it is empty. */
  #at = 0;
  #from = 0;
  /** Where its last exact part ends. */
  #end = 0;

  constructor(target: Buffer, source: Buffer) {
    this.#new = target;
    this.#old = source;
  }

  /** Adds an exact copy. They come in the order of the target, and do not overlap. */
  add(at: number, from: number, size: number): void {
    const distance = this.#from - this.#at;
    const isSame = from - at === distance;
    if (isSame ? !this.#continues(at, size) : size > this.#equalBytes(at, size, distance) + GAIN) {
      this.#finish(at, from);
    } else if (!isSame) return;
    this.#end = at + size;
  }

  /**
   * True if the current copy may reach to an exact part of its distance: few bytes before it
   * differ.
   */
  #continues(at: number, size: number): boolean {
    const gap = at - this.#end;
    const equal = this.#equalBytes(this.#end, gap, this.#from - this.#at);
    return equal + size > (gap - equal) * this.#penaltyAt(this.#end);
  }

  /** The extended copies. */
  finish(): CopyList {
    this.#finish(this.#new.length, undefined);
    return this.#copies;
  }

  /** The bytes of [at, at + size) that a copy with this distance would equal. */
  #equalBytes(at: number, size: number, distance: number): number {
    let equal = 0;
    for (let place = at; place < at + size; place++) {
      if (this.#new[place] === this.#old[place + distance]) equal++;
    }
    return equal;
  }

  /** Ends the current copy before `next`, and begins one there that reads from `from`. */
  #finish(next: number, from: number | undefined): void {
    let forward = this.#extendForward(next);
    let back = from === undefined ? 0 : this.#extendBack(next, from);
    const overlap = this.#end + forward - (next - back);
    if (from !== undefined && overlap > 0) {
      const kept = this.#shareOverlap(next - back, from - back, overlap);
      forward += kept - overlap;
      back -= kept;
    }
    const size = this.#end + forward - this.#at;
    if (size > 0) this.#copies.add(this.#at, this.#from, size);
    if (from === undefined) return;
    this.#at = next - back;
    this.#from = from - back;
  }

  #penaltyAt(at: number): number {
    const end = Math.min(this.#new.length, at + SNIFFED);
    for (let place = at; place < end; place++) {
      const byte = this.#new[place]!;
      if (byte < 9 || byte > 0x7e) return PENALTY.binary;
    }
    return PENALTY.text;
  }

  #extendForward(limit: number): number {
    const [start, distance] = [this.#end, this.#from - this.#at];
    const end = Math.min(limit, this.#old.length - distance);
    const penalty = this.#penaltyAt(start);
    let score = 0;
    let bestScore = 0;
    let best = start;
    for (let at = start; at < end; at++) {
      score += this.#new[at] === this.#old[at + distance] ? 1 : -penalty;
      if (score <= bestScore) continue;
      bestScore = score;
      best = at + 1;
    }
    return best - start;
  }

  #extendBack(next: number, from: number): number {
    const limit = Math.min(next - this.#end, from);
    const penalty = this.#penaltyAt(next);
    let score = 0;
    let bestScore = 0;
    let best = 0;
    for (let back = 1; back <= limit; back++) {
      score += this.#new[next - back] === this.#old[from - back] ? 1 : -penalty;
      if (score <= bestScore) continue;
      bestScore = score;
      best = back;
    }
    return best;
  }

  /** The bytes of the overlap from `start` on that the earlier copy keeps. */
  #shareOverlap(start: number, from: number, overlap: number): number {
    const distance = this.#from - this.#at;
    let score = 0;
    let bestScore = 0;
    let kept = 0;
    for (let at = start; at < start + overlap; at++) {
      const byte = this.#new[at];
      if (byte === this.#old[at + distance]) score++;
      if (byte === this.#old[at - start + from]) score--;
      if (score <= bestScore) continue;
      bestScore = score;
      kept = at + 1 - start;
    }
    return kept;
  }
}
