import { NetworkError, UserError, messageOf } from '../../errors.ts';
import type { Log } from '../../io/log.ts';
import { AnswerError } from '../../server/answer.ts';
import type { Api } from '../../server/api.ts';

/** How long to wait for a server that is out of reach, and what to say meanwhile. */
export interface Waiting {
  /** Milliseconds since 1970. */
  deadline: number;
  log: Log;
  /** What goes on after a failure, for the warning. */
  next: string;
}

/**
 * Returns undefined, with a warning, while the server is out of reach; after the deadline that is
 * an error. A malformed answer is an error at once.
 */
export async function patiently<T>(
  ask: () => Promise<T>,
  { deadline, log, next }: Waiting,
): Promise<T | undefined> {
  try {
    return await ask();
  } catch (error) {
    const mayPass = error instanceof NetworkError && !(error instanceof AnswerError);
    if (!mayPass || Date.now() >= deadline) throw error;
    log.warning(`${messageOf(error)}; ${next}`);
    return undefined;
  }
}

/**
 * Returns what `act` returns, or `otherwise`, with a warning, if it fails: once it is known how a
 * deployment ended, what fails afterwards must not hide it. Throws what interrupts the run.
 */
export async function unlessFailing<T>(
  act: () => Promise<T>,
  otherwise: T,
  { api, log }: { api: Api; log: Log },
): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (!(error instanceof UserError) || api.signal?.aborted === true) throw error;
    log.warning(messageOf(error));
    return otherwise;
  }
}
