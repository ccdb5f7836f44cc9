import { LONGEST_TIMER } from './wait.ts';

/** Aborts an exchange if no byte moves for too long, or when the caller's signal fires. */
export interface Guard {
  /** The exchange listens to this. */
  readonly signal: AbortSignal;
  /** Restarts the clock, as a byte has moved. */
  touch(): void;
  /** The response has begun: from now on the limit is that between bytes. */
  answered(): void;
  /** Stops the clock while the network waits for the reader. */
  pause(): void;
  /** Aborts with an error that the request itself causes, as a body that can't be read. */
  fail(error: unknown): void;
  timedOut(): boolean;
  /**
   * The error of `fail` or the reason of the caller's signal, if one of them ended the exchange.
   */
  failure(): { error: unknown } | undefined;
  /** Stops watching. */
  end(): void;
}

/** Milliseconds without any byte until the exchange is aborted. */
export interface Timeouts {
  idleMs: number;
  /** Until the response begins. */
  firstByteMs: number;
}

/** Watches one exchange. `outer` is the caller's signal. */
export function createGuard({ idleMs, firstByteMs }: Timeouts, outer: AbortSignal | undefined): Guard {
  const controller = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  let limit = firstByteMs;
  let failure: { error: unknown } | undefined;
  let late = false;
  let ended = false;
  const pause = (): void => clearTimeout(timer);
  const fail = (error: unknown): void => {
    failure ??= { error };
    controller.abort();
  };
  const expire = (): void => {
    late = true;
    controller.abort();
  };
  const touch = (): void => {
    pause();
    if (!ended && !controller.signal.aborted) timer = setTimeout(expire, Math.min(limit, LONGEST_TIMER));
  };
  const follow = (): void => fail(outer?.reason);
  if (outer?.aborted === true) follow();
  outer?.addEventListener('abort', follow, { once: true });
  touch();
  return {
    signal: controller.signal,
    touch,
    answered: () => (limit = idleMs),
    pause,
    fail,
    timedOut: () => late,
    failure: () => failure,
    end: () => {
      ended = true;
      pause();
      outer?.removeEventListener('abort', follow);
    },
  };
}
