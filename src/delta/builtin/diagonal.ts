import type { CopyList } from '../../vcdiff/copyList.ts';
import { matchLength, viewOf } from './bytes.ts';

/** The shortest copy inside a header. */
const SHORTEST = 8;

/**
 * Copies what a header and its old version, which begins at `from` of the source file, have in common at the same
 * distance from their starts.
 */
export function copyDiagonal(
  copies: CopyList,
  target: Uint8Array,
  at: number,
  source: Uint8Array,
  from: number,
): void {
  const [targetView, sourceView] = [viewOf(target), viewOf(source)];
  let done = 0;
  while (done < source.length) {
    const size = matchLength(targetView, at + done, sourceView, done, source.length - done);
    if (size >= SHORTEST || size === source.length) copies.add(at + done, from + done, size);
    done += size + 1;
  }
}
