import { setTimeout as sleep } from 'node:timers/promises';

/** Waits for `ms` milliseconds. Throws the signal's reason as soon as it fires. */
export async function wait(ms: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await sleep(ms, undefined, signal === undefined ? {} : { signal });
  } catch (error) {
    throw signal?.aborted === true ? signal.reason : error;
  }
}
