import { IntegrityError } from '../errors.ts';

/** The error for a patch that breaks the format. */
export function damaged(what: string): IntegrityError {
  return new IntegrityError(`reading a patch: ${what}`);
}
