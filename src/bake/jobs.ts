/** Bytes. Measured: a build that makes deltas of large layers, without the tool itself. */
const MEMORY_OF_A_BUILD = 400e6;

/** What a machine has left. */
export interface Machine {
  processors: number;
  /** Bytes of memory that nobody uses. */
  memory: number;
}

/** How many builds run at once, and how many threads each of them may use. */
export interface Budget {
  jobs: number;
  threads: number;
}

/**
 * Returns how to share the machine: as many builds at once as there are processors and as memory
 * allows, and no more than there are. `asked`: the number that the user wants. Pure.
 */
export function budgetOf({ processors, memory }: Machine, builds: number, asked?: number): Budget {
  const fitting = Math.min(processors, Math.floor(memory / MEMORY_OF_A_BUILD));
  const jobs = Math.max(1, Math.min(builds, asked ?? fitting));
  return { jobs, threads: Math.max(1, Math.floor(processors / jobs)) };
}
