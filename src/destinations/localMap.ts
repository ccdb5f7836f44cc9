import { UsageError } from '../errors.ts';
import type { Entry } from './model.ts';
import { imageName } from './nvr.ts';

/** What a map is asked for. */
export interface MapQuery {
  name?: string | undefined;
  /** `name-version-release`; a name wins over it. */
  image?: string | undefined;
  workflow?: string | undefined;
  cloud?: string | undefined;
  version?: string | undefined;
}

export type EntryFilters = Partial<Readonly<Record<'name' | 'workflow' | 'cloud', string | undefined>>>;

const FILTERS: ReadonlySet<string> = new Set(['name', 'workflow', 'cloud']);

/** The entries that have all the given values. Throws UsageError for a filter on anything else. */
export function filterEntries(entries: readonly Entry[], filters: EntryFilters): Entry[] {
  const unknown = Object.keys(filters).find((name) => !FILTERS.has(name));
  if (unknown !== undefined) throw new UsageError(`a map can't be filtered by ${JSON.stringify(unknown)}`);
  const wanted = Object.entries(filters).filter(([, value]) => value !== undefined);
  return entries.filter((entry) =>
    wanted.every(([name, value]) => entry[name as keyof EntryFilters] === value),
  );
}

/** Answers queries from a local map instead of the server. */
export interface LocalMap {
  readonly api: 'v2';
  readonly entries: readonly Entry[];
  /**
   * The entries of this name, workflow and cloud, or undefined. A local map is for every version.
   */
  query(query: MapQuery): Entry[] | undefined;
}

/** A local map of entries. */
export function localMap(entries: readonly Entry[]): LocalMap {
  return { api: 'v2', entries, query: (query) => queryEntries(entries, query) };
}

function queryEntries(
  entries: readonly Entry[],
  { name, image, workflow, cloud }: MapQuery,
): Entry[] | undefined {
  const wanted = name ?? imageName(image);
  if (wanted === '') return undefined;
  const found = filterEntries(entries, { name: wanted, workflow, cloud });
  return found.length === 0 ? undefined : found;
}
