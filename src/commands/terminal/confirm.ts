import { createInterface } from 'node:readline/promises';
import { UsageError } from '../../errors.ts';

/**
 * Asks on a terminal whether to go ahead. Without a terminal nobody can answer, so it does. Throws
 * UsageError, which names `instead`, unless the answer is yes.
 */
export async function confirm(
  question: string,
  instead: string,
  input: NodeJS.ReadableStream & { isTTY?: boolean } = process.stdin,
  screen: NodeJS.WritableStream = process.stderr,
): Promise<void> {
  if (input.isTTY !== true) return;
  const lines = createInterface({ input, output: screen });
  const answer = await lines.question(`${question} [y/N] `).finally(() => lines.close());
  if (/^y(es)?$/i.test(answer.trim())) return;
  throw new UsageError('nothing was done', { hint: instead });
}
