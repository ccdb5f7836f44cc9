/** Aborts an exchange if no byte moves for too long, or when the caller's signal fires. */
export interface Guard {
  /** The exchange listens to this. */
  readonly signal: AbortSignal;
  /** Restarts the clock, as a byte has moved. */
  touch(): void;
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

/**
 * Watches one exchange. `timeoutMs` is the time without any byte; `outer` is the caller's signal.
 */
export function createGuard(timeoutMs: number, outer: AbortSignal | undefined): Guard {
  const controller = new AbortController();
  let timer: NodeJS.Timeout | undefined;
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
    if (!ended && !controller.signal.aborted) timer = setTimeout(expire, timeoutMs);
  };
  const follow = (): void => fail(outer?.reason);
  if (outer?.aborted === true) follow();
  outer?.addEventListener('abort', follow, { once: true });
  touch();
  return {
    signal: controller.signal,
    touch,
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
