import type { CopyList } from '../../vcdiff/copyList.ts';

/** How many bytes of `a` from `aAt` and `b` from `bAt` are the same, at most `limit`. */
export function matchLength(a: Uint8Array, aAt: number, b: Uint8Array, bAt: number, limit: number): number {
  let length = 0;
  while (length < limit && a[aAt + length] === b[bAt + length]) length++;
  return length;
}

/**
 * Copies what target and source have in common byte by byte at the same distance: [at, at + length) of the target
 * against `source`, which begins at `from` of the source file. Shorter agreements than `shortest` stay literal.
 */
export function copyDiagonal(
  copies: CopyList,
  target: Uint8Array,
  at: number,
  source: Uint8Array,
  from: number,
  length: number,
  shortest: number,
): void {
  let done = 0;
  while (done < length) {
    const size = matchLength(target, at + done, source, done, length - done);
    if (size >= shortest || size === length) copies.add(at + done, from + done, size);
    done += Math.max(1, size + 1);
  }
}
