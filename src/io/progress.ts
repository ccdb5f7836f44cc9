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

/** Passes the chunks on, each told to the task; ends with the signal's reason once it fires. */
export async function* counted(
  chunks: AsyncIterable<Buffer>,
  task: ProgressTask,
  signal?: AbortSignal,
): AsyncGenerator<Buffer, void, undefined> {
  for await (const chunk of chunks) {
    signal?.throwIfAborted();
    task.advance(chunk.length);
    yield chunk;
  }
}
