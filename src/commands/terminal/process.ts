import type { Screen } from './terminal.ts';
import { systemCodeOf } from '../../errors.ts';
import { fileError } from '../../io/files.ts';

/** The process, as far as the command line tool needs it. */
export interface Terminal {
  environment: Readonly<Record<string, string | undefined>>;
  /** The working folder, absolute; the process's own if it is missing. */
  folder?: string;
  stdout(text: string): void;
  stderr: Screen;
}

/**
 * Tells `act` of the first signal; a second one ends the process. The listeners stay after the first: while a program
 * runs, execa listens as well, and ends the process at once where it is the only one.
 */
export function onSignals(act: (signal: 'SIGINT' | 'SIGTERM') => void): () => void {
  let isTold = false;
  const listen = (signal: 'SIGINT' | 'SIGTERM'): void => {
    if (isTold) {
      release();
      process.kill(process.pid, signal);
    }
    isTold = true;
    act(signal);
  };
  const release = (): void => void process.off('SIGINT', listen).off('SIGTERM', listen);
  process.on('SIGINT', listen).on('SIGTERM', listen);
  return release;
}

/** The process's own. `onFailure` is told when the output can't be written; a reader that has gone is none. */
export function processTerminal(onFailure: (error: unknown) => void): Terminal {
  const { stdout, stderr, env } = process;
  stdout.on('error', (error) => {
    if (systemCodeOf(error) !== 'EPIPE') onFailure(fileError(error, 'writing the output'));
  });
  stderr.on('error', () => undefined);
  return {
    environment: env,
    stdout: (text) => void stdout.write(text),
    stderr: {
      isTTY: stderr.isTTY && env['TERM'] !== 'dumb',
      columns: stderr.columns || 80,
      write: (text) => void stderr.write(text),
    },
  };
}
