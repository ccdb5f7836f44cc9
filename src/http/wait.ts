import { setTimeout as sleep } from 'node:timers/promises';

/**
 * The longest time of a timer, in milliseconds. Node.js ends a timer with a longer time at once.
 */
export const LONGEST_TIMER: number = 2 ** 31 - 1;

/**
 * Waits for `ms` milliseconds, but no longer than 24 days. Throws the signal's reason as soon as it
 * fires.
 */
export async function wait(ms: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await sleep(Math.min(ms, LONGEST_TIMER), undefined, signal === undefined ? {} : { signal });
  } catch (error) {
    throw signal?.aborted === true ? signal.reason : error;
  }
}
