import pLimit from 'p-limit';

/**
 * Calls `work` for every item, at most `most` at a time. The results have the order of the items.
 * After a failure no further item begins; the first failure is thrown once the running ones end.
 */
export async function mapLimited<T, R>(
  items: readonly T[],
  most: number,
  work: (item: T) => Promise<R>,
): Promise<R[]> {
  const limit = pLimit(Math.max(1, most));
  const failures: unknown[] = [];
  const attempt = async (item: T): Promise<R | undefined> => {
    if (failures.length > 0) return undefined;
    return work(item).catch((error: unknown) => void failures.push(error));
  };
  const results = await Promise.all(items.map((item) => limit(attempt, item)));
  if (failures.length > 0) throw failures[0];
  return results as R[];
}

/**
 * Calls `work` for every item, at most `most` at a time, and takes the next item only then. After a
 * failure no further item begins; the first failure is thrown once the running ones end.
 */
export async function eachLimited<T>(
  items: Iterable<T>,
  most: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const rest = items[Symbol.iterator]();
  const failures: unknown[] = [];
  const takeItems = async (): Promise<void> => {
    for (let next = rest.next(); next.done !== true && failures.length === 0; next = rest.next()) {
      await work(next.value).catch((error: unknown) => void failures.push(error));
    }
  };
  await Promise.all(Array.from({ length: Math.max(1, most) }, takeItems));
  if (failures.length > 0) throw failures[0];
}

/** Work that must not run twice at the same time. */
export class Shared<Value> {
  readonly #running = new Map<string, Promise<Value>>();

  /** Returns the result of the work that runs for `key`, or starts `work`. */
  run(key: string, work: () => Promise<Value>): Promise<Value> {
    const running = this.#running.get(key);
    if (running !== undefined) return running;
    const started = work().finally(() => this.#running.delete(key));
    this.#running.set(key, started);
    return started;
  }
}

/**
 * Keeps what was looked up for the time of a run, so that two platforms of an image ask its
 * registry once and see one index. A failed or empty look-up is asked again.
 */
export class LookedUp<Value> {
  readonly #found = new Map<string, Promise<Value>>();

  /** Returns what was found for `key`, or calls `find`. */
  get(key: string, find: () => Promise<Value>): Promise<Value> {
    const known = this.#found.get(key);
    if (known !== undefined) return known;
    const finding = find();
    this.#found.set(key, finding);
    const forget = (): void => void this.#found.delete(key);
    finding.then((value) => {
      if (value === undefined) forget();
    }, forget);
    return finding;
  }
}

/** What is being fetched, so that work at the same time fetches each thing once. */
export class Arrivals<Key> {
  readonly #coming = new Map<Key, Promise<void>>();

  /**
   * Returns those of the keys that nobody fetches, and a promise for the end of the others,
   * which may fail.
   */
  split(keys: readonly Key[]): { free: Key[]; others: Promise<unknown> } {
    const free = keys.filter((key) => !this.#coming.has(key));
    const others = keys.flatMap((key) => this.#coming.get(key) ?? []);
    return { free, others: Promise.allSettled(others) };
  }

  /** Notes that `work` fetches these keys. Call it in the same turn as `split`. */
  note(keys: readonly Key[], work: Promise<void>): void {
    const forget = (): void => keys.forEach((key) => this.#coming.delete(key));
    for (const key of keys) this.#coming.set(key, work);
    work.then(forget, forget);
  }
}
