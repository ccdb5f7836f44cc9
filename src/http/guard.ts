/** Watches one exchange: aborts it when nothing moves for too long, or when the caller's signal fires. */
export interface Guard {
  /** What the exchange listens to. */
  readonly signal: AbortSignal;
  /** Something moved: the clock starts again. */
  touch(): void;
  /** Stops the clock while the consumer, not the network, is what is waited for. */
  pause(): void;
  /** Aborts with an error of the request's own making. */
  fail(error: unknown): void;
  timedOut(): boolean;
  /** The caller's reason, or the failure, if that is why the exchange ended. */
  failure(): { error: unknown } | undefined;
  /** Nothing is watched any more. */
  end(): void;
}

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
