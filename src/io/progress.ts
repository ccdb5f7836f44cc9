import { basename } from 'node:path';
import { fileSize } from './files.ts';

/** Shows the progress of long work: as bars on a terminal, as lines in CI. */
export interface Progress {
  /** Starts a task. `total` is its size in bytes, if known. */
  start(label: string, total?: number): ProgressTask;
}

export interface ProgressTask {
  /** Adds bytes that are done. Negative where an attempt is repeated. */
  advance(bytes: number): void;
  /** Ends the task, even after a failure. */
  end(): void;
}

/** Shows nothing. */
export const noProgress: Progress = {
  start: () => ({ advance: () => undefined, end: () => undefined }),
};

/** Shows that `work`, whose size nobody knows, goes on. Returns what it returns. */
export async function withStep<T>(progress: Progress, label: string, work: () => Promise<T>): Promise<T> {
  const task = progress.start(label);
  try {
    return await work();
  } finally {
    task.end();
  }
}

/**
 * Shows the progress of `work`, which reads a file and says how many bytes it has read. Returns
 * what `work` returns. `name` is for people.
 */
export async function withFile<T>(
  progress: Progress,
  doing: string,
  path: string,
  work: (onRead: (bytes: number) => void) => Promise<T>,
  name: string = basename(path),
): Promise<T> {
  const task = progress.start(`${doing} ${name}`, await fileSize(path).catch(() => undefined));
  try {
    return await work((bytes) => task.advance(bytes));
  } finally {
    task.end();
  }
}
