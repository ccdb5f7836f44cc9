import { once } from 'node:events';
import type { Environment } from '../../environment.ts';
import type { EndingSignal } from '../../errors.ts';
import { ENDING_SIGNALS, InterruptedError, systemCodeOf } from '../../errors.ts';
import { fileError } from '../../io/files.ts';
import { deleteTemporaries } from '../../io/temporaries.ts';
import type { Screen } from './progress.ts';

/** The process, as far as the command line tool needs it. */
export interface Terminal {
  environment: Environment;
  /** The working folder, absolute; the process's own if it is missing. */
  folder?: string;
  stdout(text: string): void;
  /** Columns of stdout, if it is a terminal. */
  columns?: number | undefined;
  /** Writes bytes to stdout at the pace of its reader. */
  write?(bytes: AsyncIterable<Uint8Array>): Promise<void>;
  stderr: Screen;
  /** The milliseconds by which progress tells what takes long; `Date.now` if it is missing. */
  clock?: () => number;
}

/** Milliseconds that a run has to end by itself after a signal. */
const GRACE_MS = 1_500;

/**
 * Calls `act` with the first signal. A second signal, or a run that does not end soon after the
 * first, ends the process at once and deletes its temporary files. Returns a function that stops
 * listening. The listeners stay after the first signal: while a program runs, execa listens too,
 * and would end the process if it were the only listener.
 */
export function onSignals(act: (signal: EndingSignal) => void): () => void {
  let deadline: NodeJS.Timeout | undefined;
  const listen = (signal: EndingSignal): void => {
    if (deadline !== undefined) endAtOnce(signal);
    deadline = setTimeout(() => endAtOnce(signal), GRACE_MS);
    act(signal);
  };
  for (const signal of ENDING_SIGNALS) process.on(signal, listen);
  process.on('SIGXFSZ', passOver);
  return () => {
    clearTimeout(deadline);
    for (const signal of ENDING_SIGNALS) process.off(signal, listen);
    process.off('SIGXFSZ', passOver);
  };
}

/**
 * A file that may not grow is a write that fails, with an error that names it. While a program
 * runs, execa listens to this signal too, and would end the process if it were the only listener.
 */
function passOver(): void {
  // The write itself fails.
}

/**
 * Calls `act` with the first error that no code catches, as of a program that can't be started
 * because too many files are open. If the run does not end soon, `tell` prints the error and
 * returns the exit code of the process, which ends at once. Returns a function that stops
 * listening.
 */
export function onStrayErrors(act: (error: unknown) => void, tell: (error: unknown) => number): () => void {
  let deadline: NodeJS.Timeout | undefined;
  const listen = (error: unknown): void => {
    if (deadline !== undefined) return;
    deadline = setTimeout(() => {
      deleteTemporaries();
      process.exit(tell(error));
    }, GRACE_MS);
    act(error);
  };
  process.on('uncaughtException', listen);
  return () => {
    clearTimeout(deadline);
    process.off('uncaughtException', listen);
  };
}

function endAtOnce(signal: EndingSignal): never {
  deleteTemporaries();
  const { exitCode, message } = new InterruptedError(signal);
  process.stderr.write(`error: ${message}\n`);
  process.exit(exitCode);
}

/**
 * The terminal of this process. `onFailure` is told when the output can't be written; a closed pipe
 * does not count.
 */
export function processTerminal(onFailure: (error: unknown) => void): Terminal {
  const { stdout, stderr, env } = process;
  stdout.on('error', (error) => {
    if (systemCodeOf(error) !== 'EPIPE') onFailure(fileError(error, 'writing the output'));
  });
  stderr.on('error', () => undefined);
  return {
    environment: env,
    stdout: (text) => void stdout.write(text),
    columns: stdout.isTTY ? stdout.columns || 80 : undefined,
    async write(bytes) {
      for await (const chunk of bytes) {
        if (!stdout.write(chunk)) await once(stdout, 'drain');
      }
    },
    stderr: {
      isTTY: stderr.isTTY && env['TERM'] !== 'dumb',
      columns: stderr.columns || 80,
      write: (text) => void stderr.write(text),
    },
  };
}
