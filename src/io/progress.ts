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
