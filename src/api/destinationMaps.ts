import { array, optional, union, unknown } from 'valibot';
import type { LocalMap } from '../destinations/localMap.ts';
import { localMap } from '../destinations/localMap.ts';
import { readMap } from '../destinations/readMap.ts';
import type { Session } from '../destinations/session.ts';
import { httpSession, offlineSession } from '../destinations/session.ts';
import type { Starmap } from '../destinations/starmap.ts';
import { createStarmap } from '../destinations/starmap.ts';
import type { RunOptions } from './run.ts';
import { contextOf } from './run.ts';
import { methodsWithoutSecrets } from './withoutSecrets.ts';
import { checkOptions } from './checkOptions.ts';
import type { SchemaOf } from './checkOptions.ts';
import { text, withMethods } from './schemas.ts';

export interface StarmapClientOptions {
  /** The address of a StArMap server. Without it, and without a session, the client is offline. */
  url?: string;
  /** Reaches the server in place of `url`, for example in tests. */
  session?: Session;
  /** Answers before the server is asked: a provider, or the content of a map file. */
  local?: LocalMap | readonly unknown[];
}

const SCHEMA: SchemaOf<StarmapClientOptions> = {
  url: optional(text),
  session: optional(withMethods('get')),
  local: optional(union([array(unknown()), withMethods('query')], 'an array or a local map')),
};

/**
 * A client of StArMap, API v2. It is online with `url` or `session`, offline with `local` alone,
 * and hybrid with both. Throws UsageError for an invalid map.
 */
export function starmap(options: StarmapClientOptions, run: RunOptions = {}): Starmap {
  checkOptions(options, SCHEMA);
  const { local } = options;
  const provider = isList(local) ? localMap(readMap(local, 'the given map')) : local;
  return methodsWithoutSecrets(createStarmap({ session: sessionOf(options, run), local: provider }));
}

function isList(local: StarmapClientOptions['local']): local is readonly unknown[] {
  return Array.isArray(local);
}

function sessionOf({ url, session }: StarmapClientOptions, run: RunOptions): Session {
  if (session !== undefined) return session;
  if (url === undefined) return offlineSession;
  const { http, signal } = contextOf(run);
  return httpSession({ http, url, signal });
}
