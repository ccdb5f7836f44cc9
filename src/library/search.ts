import type { InferOutput } from 'valibot';
import { UsageError } from '../errors.ts';
import { SEARCH_RESULT } from './answers.ts';
import type { Library } from './client.ts';
import { call } from './client.ts';

export type SearchResult = InferOutput<typeof SEARCH_RESULT>;

export interface SearchFilter {
  /** Only images for this architecture. */
  arch?: string | undefined;
  /** Only signed images. */
  signed?: boolean | undefined;
}

const SHORTEST = 3;

/**
 * Returns everything whose name contains `value`. Throws UsageError, before any request, for less
 * than three characters.
 */
export async function search(
  library: Library,
  value: string,
  { arch, signed }: SearchFilter = {},
): Promise<SearchResult> {
  if (value.length < SHORTEST) {
    throw new UsageError(
      `searching for ${JSON.stringify(value)}: at least ${SHORTEST} characters are needed`,
    );
  }
  const query = {
    ...(arch === undefined ? {} : { arch }),
    ...(signed === true ? { signed: 'true' } : {}),
    value,
  };
  const doing = `searching for ${value}`;
  return call(library, { method: 'GET', path: 'v1/search', query, doing }, SEARCH_RESULT);
}
