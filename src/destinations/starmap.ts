import { NetworkError, UsageError } from '../errors.ts';
import { isObject } from './problems.ts';
import type { LocalMap, MapQuery } from './localMap.ts';
import type { Destination, Entry, Mapping, Policy } from './model.ts';
import { readDestination, readMap, readMapping, readPolicy } from './readMap.ts';
import type { QueryPair, Session } from './session.ts';

/**
 * The client of a server of destination maps, API v2. Returns undefined or an empty list for what
 * the server does not know.
 */
export interface Starmap {
  /** From the local map, else from the server, which gets each query once. */
  query(query: MapQuery): Promise<Entry[] | undefined>;
  /** Like `query`, but only from the server. */
  queryServer(query: MapQuery): Promise<Entry[] | undefined>;
  /** All policies, page by page. The server is asked once; later calls return the same list. */
  policies(): Promise<Policy[]>;
  policy(id: string): Promise<Policy | undefined>;
  /** The mappings of a policy. */
  mappings(policyId: string): Promise<Mapping[]>;
  mapping(id: string): Promise<Mapping | undefined>;
  /** The destinations of a mapping. */
  destinations(mappingId: string): Promise<Destination[]>;
  destination(id: string): Promise<Destination | undefined>;
}

export interface StarmapOptions {
  session: Session | undefined;
  /** Asked before the server. */
  local?: LocalMap | undefined;
}

const PAGE_SIZE = 100;

/**
 * The client over a session. Throws UsageError without one, and for a map of another version of the
 * API.
 */
export function createStarmap({ session, local }: StarmapOptions): Starmap {
  if (session === undefined) throw new UsageError('there is neither a map nor a server of maps to ask');
  checkVersion(local);
  const answers = new Map<string, Promise<Entry[] | undefined>>();
  let policies: Promise<Policy[]> | undefined;
  const queryServer = (query: MapQuery): Promise<Entry[] | undefined> => {
    const pairs = pairsOf(query);
    return remembered(answers, JSON.stringify(pairs), () => readEntries(session, pairs));
  };
  const policy = (id: string): Promise<Policy | undefined> => readOne(session, 'policy', id, readPolicy);
  const mapping = (id: string): Promise<Mapping | undefined> => readOne(session, 'mapping', id, readMapping);
  return {
    query: async (query) => local?.query(query) ?? queryServer(query),
    queryServer,
    policies: () => (policies ??= readPolicies(session)),
    policy,
    mappings: async (id) => (await policy(id))?.mappings ?? [],
    mapping,
    destinations: async (id) => (await mapping(id))?.destinations ?? [],
    destination: (id) => readOne(session, 'destination', id, readDestination),
  };
}

function checkVersion(local: { api: string } | undefined): void {
  if (local === undefined || local.api === 'v2') return;
  throw new UsageError(`the map is for API ${local.api}, expected v2`);
}

function remembered<T>(answers: Map<string, Promise<T>>, key: string, ask: () => Promise<T>): Promise<T> {
  const known = answers.get(key);
  if (known !== undefined) return known;
  const answer = ask();
  answers.set(key, answer);
  return answer;
}

/** In the order in which StArMap's own client sends them. */
function pairsOf({ name, image, workflow, cloud, version }: MapQuery): QueryPair[] {
  const what: Record<string, string | undefined> = name === undefined ? { image } : { name };
  const pairs = Object.entries({ ...what, workflow, cloud, version });
  return pairs.filter((pair): pair is [string, string] => pair[1] !== undefined);
}

async function readEntries(session: Session, pairs: readonly QueryPair[]): Promise<Entry[] | undefined> {
  const { status, body } = await session.get('query', pairs);
  return status === 404 ? undefined : readMap(body, session.source);
}

async function readOne<T>(
  session: Session,
  kind: string,
  id: string,
  read: (value: unknown, source: string) => T,
): Promise<T | undefined> {
  const { status, body } = await session.get(`${kind}/${encodeURIComponent(id)}`, []);
  return status === 404 ? undefined : read(body, `${session.source}: ${kind} ${id}`);
}

/** A server that always names a next page must not fill the memory. */
const MOST_PAGES = 1000;
/** Of all pages. Parsed, they take several times as much. */
const MOST_CHARACTERS = 16 << 20;

async function readPolicies(session: Session): Promise<Policy[]> {
  const policies: Policy[] = [];
  let [before, characters] = ['', 0];
  for (let page = 1; page <= MOST_PAGES && characters <= MOST_CHARACTERS; page++) {
    const query: QueryPair[] = [
      ['page', String(page)],
      ['per_page', String(PAGE_SIZE)],
    ];
    const { status, body } = await session.get('policy', query);
    if (status === 404) return policies;
    const { items, nav } = pageOf(body, session.source);
    for (const [index, item] of items.entries())
      policies.push(readPolicy(item, `${session.source}: policy ${index} of page ${page}`));
    if (nav['next'] === null || nav['next'] === undefined) return policies;
    const text = JSON.stringify(body);
    if (items.length === 0 || text === before) break;
    before = text;
    characters += text.length;
  }
  throw new NetworkError(`reading policies from ${session.source}: the list does not end`);
}

function pageOf(body: unknown, source: string): { items: unknown[]; nav: Readonly<Record<string, unknown>> } {
  const { items, nav } = isObject(body) ? body : {};
  if (Array.isArray(items) && isObject(nav)) return { items, nav };
  throw new NetworkError(
    `reading policies from ${source}: expected a page with items and nav, found something else`,
  );
}
