import { createInterface } from 'node:readline/promises';
import { UsageError } from '../../errors.ts';

/** True if a person can be asked: questions go to stderr, answers come from stdin. */
export function canAsk(
  input: { isTTY?: boolean } = process.stdin,
  screen: { isTTY?: boolean } = process.stderr,
): boolean {
  return input.isTTY === true && screen.isTTY === true;
}

/**
 * The answer to a question, or `usual` if it is empty. Throws the signal's reason if that fires,
 * and UsageError if the input ends.
 */
export async function ask(question: string, usual: string, signal: AbortSignal): Promise<string> {
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  // Without a listener, Ctrl-C and Ctrl-D leave the question open for ever.
  lines.on('SIGINT', () => {
    process.kill(process.pid, 'SIGINT');
  });
  const ended = new Promise<never>((_, reject) => {
    lines.once('close', () => {
      reject(new UsageError(`${question}: the input ended before an answer`));
    });
  });
  try {
    const text = `${question}${usual === '' ? '' : ` [${usual}]`}: `;
    const answer = await Promise.race([lines.question(text, { signal }), ended]);
    return answer.trim() || usual;
  } finally {
    lines.close();
  }
}
