import type { Log } from './log.ts';
import type { Progress } from './progress.ts';

/** How work tells what it does, and how it is stopped. */
export interface Effects {
  log: Log;
  progress: Progress;
  /** Ends the work with its reason once it fires. */
  signal: AbortSignal;
}
