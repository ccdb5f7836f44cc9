import { UsageError } from '../errors.ts';
import { call } from './client.ts';
import type { Library } from './client.ts';
import type { LibraryImage } from './images.ts';

/** Something that a search found. */
interface Found {
  id: string;
  name?: string;
  [field: string]: unknown;
}

export interface SearchResult {
  entity: Found[];
  collection: Found[];
  container: Found[];
  image: (Found & LibraryImage)[];
}

const SHORTEST = 3;

/**
 * Everything whose name holds `value`. Throws UsageError, before any request, for less than three
 * characters.
 */
export async function search(library: Library, value: string, arch?: string): Promise<SearchResult> {
  if (value.length < SHORTEST) {
    throw new UsageError(
      `searching for ${JSON.stringify(value)}: at least ${SHORTEST} characters are needed`,
    );
  }
  const query = { ...(arch === undefined ? {} : { arch }), value };
  const data = await call(library, {
    method: 'GET',
    path: 'v1/search',
    query,
    doing: `searching for ${value}`,
  });
  const { entity, collection, container, image } = (data ?? {}) as Partial<SearchResult>;
  return {
    entity: entity ?? [],
    collection: collection ?? [],
    container: container ?? [],
    image: image ?? [],
  };
}
