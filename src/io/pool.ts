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

/**
 * Keeps what was looked up for the time of a run, so that two platforms of an image ask its
 * registry once and see one index. A failed or empty look-up is asked again.
 */
export class LookedUp<Value> {
  readonly #found = new Map<string, Promise<Value | undefined>>();

  /** Returns what was found for `key`, or calls `find`. */
  get(key: string, find: () => Promise<Value | undefined>): Promise<Value | undefined> {
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
