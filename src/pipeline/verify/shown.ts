import { redact } from '../../io/redact.ts';

/** Characters of a value in a message. */
const LONGEST = 200;

/**
 * The beginning of a value as JSON, for a message, or `missing` if it is undefined. A secret is
 * found before the cut, as only a whole one is known.
 */
export function shown(value: unknown, missing = 'nothing'): string {
  return value === undefined ? missing : redact(JSON.stringify(value)).slice(0, LONGEST);
}
