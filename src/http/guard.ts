import { LONGEST_TIMER } from './wait.ts';

/** Milliseconds without any byte until the exchange is aborted. */
export interface Timeouts {
  idleMs: number;
  /** Until the response begins. */
  firstByteMs: number;
}

/** Bytes a second. A response that brings fewer is as good as a silent one. */
const LEAST_RATE = 1024;

/**
 * Aborts an exchange if no byte moves for too long, or when the caller's signal fires. The clock
 * runs down from the limit. Arriving bytes add time: each KiB a second. So single bytes do not keep
 * an exchange alive.
 */
export class Guard {
  readonly #controller = new AbortController();
  readonly #idleMs: number;
  readonly #outer: AbortSignal | undefined;
  readonly #follow = (): void => this.fail(this.#outer?.reason);
  #limit: number;
  /** Milliseconds until the exchange is aborted. */
  #left: number;
  /** When the clock was started. Undefined while it is stopped. */
  #since: number | undefined;
  #timer: NodeJS.Timeout | undefined;
  #failure: { error: unknown } | undefined;
  #lateness: string | undefined;
  #ended = false;

  /** Starts to watch. `outer` is the caller's signal. */
  constructor({ idleMs, firstByteMs }: Timeouts, outer: AbortSignal | undefined) {
    this.#idleMs = idleMs;
    this.#limit = firstByteMs;
    this.#left = firstByteMs;
    this.#outer = outer;
    if (outer?.aborted === true) this.#follow();
    outer?.addEventListener('abort', this.#follow, { once: true });
    this.touch();
  }

  /** The exchange listens to this. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** What came too late, if that ended the exchange. */
  get lateness(): string | undefined {
    return this.#lateness;
  }

  /**
   * The error of `fail` or the reason of the caller's signal, if one of them ended the exchange.
   */
  get failure(): { error: unknown } | undefined {
    return this.#failure;
  }

  /** Sets the clock to the whole limit and starts it, as a byte of the request has moved. */
  touch(): void {
    this.pause();
    this.#left = this.#limit;
    this.resume();
  }

  /** Sets the clock back for bytes of the response, and starts it. */
  arrived(bytes: number): void {
    this.pause();
    this.#left = Math.min(this.#limit, this.#left + (bytes / LEAST_RATE) * 1000);
    this.resume();
  }

  /** Starts the clock where it stopped, as the reader waits for the network. */
  resume(): void {
    this.pause();
    if (this.#ended || this.signal.aborted) return;
    const delay = Math.min(this.#left, LONGEST_TIMER);
    this.#since = performance.now();
    this.#timer = setTimeout(() => this.#expire(delay), delay);
  }

  /** The response has begun: from now on the limit is that between bytes. */
  answered(): void {
    this.#limit = this.#idleMs;
    this.touch();
  }

  /** Stops the clock while the network waits for the reader. */
  pause(): void {
    clearTimeout(this.#timer);
    if (this.#since !== undefined) this.#left -= performance.now() - this.#since;
    this.#since = undefined;
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

  /** `silentMs`: how long no byte has moved. */
  #expire(silentMs: number): void {
    const isDripping = silentMs < this.#limit / 2;
    this.#lateness = isDripping ? 'fewer than 1 KB a second arrived' : 'no byte arrived in time';
    this.#controller.abort();
  }
}
