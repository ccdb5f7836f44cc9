import type { CopyList } from '../../vcdiff/copyList.ts';
import { matchLength } from './diagonal.ts';

const SHORTEST = 8;
const INDEX_BITS = 20;

/** Finds what a changed body has in common with old bytes that are at hand. */
export class BodyMatcher {
  private readonly heads = new Int32Array(1 << INDEX_BITS);

  /** Adds the copies of [start, end) of `target` out of `source`, which begins at `from` of the source file. */
  match(
    copies: CopyList,
    target: Uint8Array,
    start: number,
    end: number,
    source: Uint8Array,
    from: number,
  ): void {
    this.index(source);
    let diagonal = -start;
    let literal = start;
    let at = start;
    while (at + SHORTEST <= end) {
      let found = at + diagonal;
      let size =
        found < 0 ? 0 : matchLength(target, at, source, found, Math.min(end - at, source.length - found));
      if (size < SHORTEST) {
        found = this.heads[sumAt(target, at)]! - 1;
        size =
          found < 0 ? 0 : matchLength(target, at, source, found, Math.min(end - at, source.length - found));
      }
      if (size < SHORTEST * 2 && (size < SHORTEST || found !== at + diagonal)) {
        at++;
        continue;
      }
      let back = 0;
      while (at - back > literal && found - back > 0 && target[at - back - 1] === source[found - back - 1])
        back++;
      copies.add(at - back, from + found - back, size + back);
      at += size;
      literal = at;
      diagonal = found + size - at;
    }
  }

  private index(source: Uint8Array): void {
    this.heads.fill(0);
    for (let at = source.length - SHORTEST; at >= 0; at--) this.heads[sumAt(source, at)] = at + 1;
  }
}

/** A sum of the eight bytes at `at`. */
function sumAt(bytes: Uint8Array, at: number): number {
  const low = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
  const high = bytes[at + 4]! | (bytes[at + 5]! << 8) | (bytes[at + 6]! << 16) | (bytes[at + 7]! << 24);
  return (Math.imul(low, 0x9e3779b1) ^ Math.imul(high, 0x85ebca6b)) >>> (32 - INDEX_BITS);
}
