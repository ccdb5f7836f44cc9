import { LONGEST_TIMER } from './wait.ts';

/** Milliseconds without any byte until the exchange is aborted. */
export interface Timeouts {
  idleMs: number;
  /** Until the response begins. */
  firstByteMs: number;
}

/** Aborts an exchange if no byte moves for too long, or when the caller's signal fires. */
export class Guard {
  readonly #controller = new AbortController();
  readonly #idleMs: number;
  readonly #outer: AbortSignal | undefined;
  readonly #follow = (): void => this.fail(this.#outer?.reason);
  #limit: number;
  #timer: NodeJS.Timeout | undefined;
  #failure: { error: unknown } | undefined;
  #late = false;
  #ended = false;

  /** Starts to watch. `outer` is the caller's signal. */
  constructor({ idleMs, firstByteMs }: Timeouts, outer: AbortSignal | undefined) {
    this.#idleMs = idleMs;
    this.#limit = firstByteMs;
    this.#outer = outer;
    if (outer?.aborted === true) this.#follow();
    outer?.addEventListener('abort', this.#follow, { once: true });
    this.touch();
  }

  /** The exchange listens to this. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Whether too long no byte moved. */
  get timedOut(): boolean {
    return this.#late;
  }

  /** The error of `fail` or the reason of the caller's signal, if one of them ended the exchange. */
  get failure(): { error: unknown } | undefined {
    return this.#failure;
  }

  /** Restarts the clock, as a byte has moved. */
  touch(): void {
    this.pause();
    if (this.#ended || this.signal.aborted) return;
    this.#timer = setTimeout(() => this.#expire(), Math.min(this.#limit, LONGEST_TIMER));
  }

  /** The response has begun: from now on the limit is that between bytes. */
  answered(): void {
    this.#limit = this.#idleMs;
  }

  /** Stops the clock while the network waits for the reader. */
  pause(): void {
    clearTimeout(this.#timer);
  }

  /** Aborts with an error that the request itself causes, as a body that can't be read. */
  fail(error: unknown): void {
    this.#failure ??= { error };
    this.#controller.abort();
  }

  /** Stops watching. */
  end(): void {
    this.#ended = true;
    this.pause();
    this.#outer?.removeEventListener('abort', this.#follow);
  }

  #expire(): void {
    this.#late = true;
    this.#controller.abort();
  }
}
