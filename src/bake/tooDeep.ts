import { UsageError } from '../errors.ts';
import type { BakeFile } from './model.ts';

/** Real files have about three. */
export const MOST_LEVELS = 100;

/** Returns the levels of a thing from those of its parts, which may be many. -1: no level. */
export function levelsAbove(parts: readonly number[]): number {
  return parts.reduce((most, levels) => Math.max(most, levels), -1) + 1;
}

/**
 * The error for targets or groups with more than `MOST_LEVELS` levels. `what` begins the sentence.
 */
export function tooDeep({ path }: BakeFile, what: string): UsageError {
  return new UsageError(`${path}: ${what} through more than ${MOST_LEVELS} levels`, {
    hint: 'name the targets directly',
  });
}
