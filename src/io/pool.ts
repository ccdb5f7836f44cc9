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
