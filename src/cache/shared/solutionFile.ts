import type { KeyObject } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { withSubject } from '../../errors.ts';
import { withTemporaryFolder } from '../../io/temporaries.ts';
import type { EntryStore, FoundEntry } from '../../oci/entryStore.ts';
import type { Solution, SolutionKey } from './solution.ts';
import { readSolution } from './solution.ts';

/** Bytes. A solution has some hundred bytes for each layer. */
export const LARGEST_SOLUTION = 1 << 20;

/** As `readSolution`, of the file at `path`. The errors name the entry. */
export async function readSolutionFile(
  path: string,
  name: string,
  question: SolutionKey,
  key: KeyObject,
): Promise<Solution> {
  try {
    return readSolution(await readFile(path, 'utf8'), question, key);
  } catch (error) {
    throw withSubject(error, `entry ${name}`);
  }
}

/**
 * Returns the entry of a place that has the solution, signed with the key. ECDSA signs at random,
 * so equal solutions may have other bytes. Throws what `readSolution` throws.
 */
export async function findSameSolution(
  store: EntryStore,
  name: string,
  solution: Solution,
  key: KeyObject,
): Promise<FoundEntry | undefined> {
  return withSolutionFile(async (path) => {
    const found = await store.fetch(name, path, LARGEST_SOLUTION);
    if (found === undefined) return undefined;
    const read = await readSolutionFile(path, name, solution, key);
    return isDeepStrictEqual(read, solution) ? found : undefined;
  });
}

/**
 * Returns what `use` makes of the path of a file that does not exist yet. Deletes the file after
 * that.
 */
export function withSolutionFile<T>(use: (path: string) => Promise<T>): Promise<T> {
  return withTemporaryFolder('solution', (folder) => use(join(folder, 'solution')));
}
