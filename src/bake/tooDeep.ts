import { UsageError } from '../errors.ts';
import type { BakeFile } from './model.ts';

/** Real files have about three. */
export const MOST_LEVELS = 100;

/** The error for targets or groups with more than `MOST_LEVELS` levels. `what` begins the sentence. */
export function tooDeep({ path }: BakeFile, what: string): UsageError {
  return new UsageError(`${path}: ${what} through more than ${MOST_LEVELS} levels`, {
    hint: 'name the targets directly',
  });
}
