import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { UsageError } from '../../errors.ts';

/**
 * The first line of stdin; on a terminal it is asked for, and not shown. Throws UsageError when
 * nothing comes.
 */
export async function readPassword(
  prompt: string,
  input: NodeJS.ReadableStream & { isTTY?: boolean } = process.stdin,
  screen: NodeJS.WritableStream = process.stderr,
): Promise<string> {
  const isTerminal = input.isTTY === true;
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input, output: nowhere, terminal: isTerminal });
  if (isTerminal) screen.write(prompt);
  try {
    for await (const line of lines) if (line !== '') return line;
  } finally {
    lines.close();
    if (isTerminal) screen.write('\n');
  }
  throw new UsageError('there is no password on stdin', { hint: 'give it with --password or on stdin' });
}
