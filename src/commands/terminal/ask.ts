import { createInterface } from 'node:readline/promises';

/** True if a person can be asked: questions go to stderr, answers come from stdin. */
export function canAsk(
  input: { isTTY?: boolean } = process.stdin,
  screen: { isTTY?: boolean } = process.stderr,
): boolean {
  return input.isTTY === true && screen.isTTY === true;
}

/** The answer to a question, or `usual` if it is empty. Throws the signal's reason if that fires. */
export async function ask(question: string, usual: string, signal: AbortSignal): Promise<string> {
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await lines.question(`${question}${usual === '' ? '' : ` [${usual}]`}: `, { signal });
    return answer.trim() || usual;
  } finally {
    lines.close();
  }
}
