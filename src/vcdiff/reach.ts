import { CopyList } from './copyList.ts';
import { ADDRESS_LIMIT, WINDOW_SIZE } from './format.ts';

/** A part of a window's target, and its copies with positions relative to that part. */
export interface TargetPart {
  start: number;
  end: number;
  copies: CopyList;
}

/**
 * Cuts a target of `length` bytes into as few parts as it needs so that the copies of each lie near enough for one
 * window: a source segment and its target stay below 4 GiB. Almost always that is one part.
 */
export function partsInReach(
  copies: CopyList,
  length: number,
  limit: number = ADDRESS_LIMIT - WINDOW_SIZE,
): TargetPart[] {
  const parts: TargetPart[] = [];
  let part: TargetPart = { start: 0, end: length, copies: new CopyList() };
  let low = Infinity;
  let high = 0;
  for (let index = 0; index < copies.count; index++) {
    const [at, from, size] = [copies.at[index]!, copies.from[index]!, copies.size[index]!];
    low = Math.min(low, from);
    high = Math.max(high, from + size);
    if (high - low > limit) {
      part.end = at;
      parts.push(part);
      part = { start: at, end: length, copies: new CopyList() };
      low = from;
      high = from + size;
    }
    part.copies.add(at - part.start, from, size);
  }
  return [...parts, part];
}
