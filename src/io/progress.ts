/** Receives what long work does; a terminal shows bars, CI gets lines, tests get nothing. */
export interface Progress {
  /** Begins a piece of work. `total` is in bytes, where known. */
  start(label: string, total?: number): ProgressTask;
}

export interface ProgressTask {
  /** Bytes done since the last call; less than none where an attempt is repeated. */
  advance(bytes: number): void;
  /** Ends the task; a failed one is ended as well. */
  end(): void;
}

/** Shows nothing. */
export const noProgress: Progress = {
  start: () => ({ advance: () => undefined, end: () => undefined }),
};
