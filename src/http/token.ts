import { UsageError } from '../errors.ts';
import { registerSecret } from '../io/redact.ts';

/**
 * Returns a token without the space around it, and undefined for none. It is redacted in all output
 * from now on. Throws UsageError for what is no token on one line: HTTP joins the lines of a
 * header.
 */
export function tokenFrom(text: string, source: string): string | undefined {
  const token = text.trim();
  registerSecret(token);
  if (token === '') return undefined;
  if (/^[\x21-\x7e]+$/.test(token)) return token;
  throw new UsageError(`${source}: expected a token on one line, found other characters in it`);
}
