import { CopyList } from './copyList.ts';
import { ADDRESS_LIMIT, WINDOW_SIZE } from './format.ts';

/** A part of a window's target. The positions of its copies are relative to the part. */
export interface TargetPart {
  start: number;
  end: number;
  copies: CopyList;
}

/**
 * Splits a target of `length` bytes into as few parts as possible so that the copies of each part
 * fit into one window: a source segment and its target stay below 4 GiB. Almost always one part.
 */
export function partsInReach(
  copies: CopyList,
  length: number,
  limit: number = ADDRESS_LIMIT - WINDOW_SIZE,
): TargetPart[] {
  const whole = segmentOf(copies);
  if (whole.length <= limit) return [{ start: 0, end: length, copies }];
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

/** The part of the source that the copies use. */
export function segmentOf(copies: CopyList): { offset: number; length: number } {
  let offset = Infinity;
  let end = 0;
  for (let index = 0; index < copies.count; index++) {
    const from = copies.from[index]!;
    offset = Math.min(offset, from);
    end = Math.max(end, from + copies.size[index]!);
  }
  return copies.count === 0 ? { offset: 0, length: 0 } : { offset, length: end - offset };
}
