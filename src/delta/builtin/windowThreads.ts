import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { WindowJob } from './windowJob.ts';

/**
 * Encodes the windows that begin at `starts` in `count` threads, and yields them in that order. Few
 * windows wait at any time. All threads have ended when this generator ends. Throws the first error
 * of a thread.
 */
export async function* encodeInThreads(
  job: WindowJob,
  starts: Iterable<number>,
  count: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  const threads = Array.from({ length: count }, () => new WindowThread(job));
  const pool = new Pool(threads);
  const underWay: Promise<Uint8Array>[] = [];
  try {
    for (const start of starts) {
      if (underWay.length >= 2 * count) yield await underWay.shift()!;
      underWay.push(quiet(pool.use((thread) => thread.encode(start))));
    }
    for (const window of underWay) yield await window;
  } finally {
    await Promise.all(threads.map((thread) => thread.end()));
  }
}

/** The same promise. It may fail before anyone awaits it. */
function quiet<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined);
  return promise;
}

class WindowThread {
  readonly #worker: Worker;
  #failure: Error | undefined;

  constructor(job: WindowJob) {
    this.#worker = new Worker(new URL('./windowWorker.js', import.meta.url), { workerData: job });
    this.#worker.on(
      'error',
      (error) => (this.#failure = error instanceof Error ? error : new Error(String(error))),
    );
  }

  async encode(start: number): Promise<Uint8Array> {
    if (this.#failure !== undefined) throw this.#failure;
    const answer = once(this.#worker, 'message');
    this.#worker.postMessage(start);
    const [window] = (await answer) as [Uint8Array];
    return window;
  }

  async end(): Promise<void> {
    await this.#worker.terminate();
  }
}

/** Lends each item to one user at a time. */
class Pool<T> {
  readonly #free: T[];
  readonly #waiting: ((thing: T) => void)[] = [];

  constructor(things: readonly T[]) {
    this.#free = [...things];
  }

  async use<R>(work: (thing: T) => Promise<R>): Promise<R> {
    const thing = this.#free.pop() ?? (await new Promise<T>((resolve) => this.#waiting.push(resolve)));
    try {
      return await work(thing);
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free.push(thing);
      else next(thing);
    }
  }
}
