/** Which failed attempts are repeated, how often, and how long each repetition waits. */
export interface RetryPolicy {
  /** Milliseconds before each repetition. There are as many repetitions as pauses. */
  pausesMs: readonly number[];
  /** True for a status that another attempt may replace. */
  isTemporary: (status: number) => boolean;
  /**
   * True for a status that says that nothing was done: after it, a request of any method is
   * repeated.
   */
  saysUndone: (status: number) => boolean;
  /** True for a status whose Retry-After header replaces the pause. */
  heedsRetryAfter: (status: number) => boolean;
  /**
   * Milliseconds. A server that asks for a longer pause, as Docker Hub for hours, gets no
   * repetition.
   */
  longestRetryAfterMs: number;
}

const TEMPORARY: ReadonlySet<number> = new Set([408, 429, 500, 502, 503, 504]);

/** True for a status that another attempt may replace. */
function isTemporary(status: number): boolean {
  return TEMPORARY.has(status);
}

export const DEFAULT_RETRIES: RetryPolicy = {
  pausesMs: [500, 1000, 2000, 4000],
  isTemporary,
  saysUndone: (status) => status === 429,
  heedsRetryAfter: isTemporary,
  longestRetryAfterMs: 60_000,
};
