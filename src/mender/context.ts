import type { Log } from '../io/log.ts';
import type { Progress } from '../io/progress.ts';

/** What packing may use of its surroundings. */
export interface PackContext {
  log: Log;
  progress?: Progress;
  signal?: AbortSignal;
  /** How many threads compress at once; the bytes do not depend on it. */
  threads: number;
}
