import { UsageError } from '../errors.ts';
import type { Http } from '../http/http.ts';
import type { RetryPolicy } from '../http/retryPolicy.ts';
import { parseText, readYamlFile } from '../io/yaml.ts';
import { localMap } from './localMap.ts';
import { readMap } from './readMap.ts';
import type { Maps } from './resolve.ts';
import type { Session } from './session.ts';
import { httpSession, offlineSession } from './session.ts';
import { createStarmap } from './starmap.ts';
import { hideCredentials } from '../io/redact.ts';

/** Where destination maps come from. */
export interface MapSources {
  /** Address of a server of maps. */
  url?: string | undefined;
  /** As in the server's addresses; v2 if it is missing. */
  apiVersion?: string | undefined;
  retries?: RetryPolicy | undefined;
  /** A map as JSON text. It wins over `file`. */
  text?: string | undefined;
  /** Absolute path of a map in YAML or JSON. */
  file?: string | undefined;
  /** True if the server is never asked. */
  offline: boolean;
}

interface MapEffects {
  http: Http;
  signal?: AbortSignal | undefined;
}

/**
 * Opens the maps: a local one, a server, or the server behind the local one. Throws UsageError if
 * there is neither, and for an invalid map.
 */
export async function openMaps(sources: MapSources, effects: MapEffects): Promise<Maps> {
  const given = await readLocalMap(sources);
  if (given === undefined && sources.offline) {
    throw new UsageError('--offline needs a local map', { hint: 'add --repo or --repo-file' });
  }
  if (given === undefined && sources.url === undefined) {
    throw new UsageError('there is no destination map', {
      hint: 'name a file with --repo-file, or a server with --starmap-url',
    });
  }
  const session = openSession(sources, effects);
  const local = given && { map: localMap(readMap(given.value, given.source)), source: given.source };
  return { starmap: createStarmap({ session, local: local?.map }), server: session.source, local };
}

/** Like `openMaps`, but throws UsageError without a server of maps. */
export async function openServerMaps(sources: MapSources, effects: MapEffects): Promise<Maps> {
  if (sources.url !== undefined || sources.offline) return openMaps(sources, effects);
  throw new UsageError('only a server of maps can answer this', { hint: 'name it with --starmap-url' });
}

function openSession(
  { url, offline, apiVersion, retries }: MapSources,
  { http, signal }: MapEffects,
): Session {
  if (url === undefined || offline) return offlineSession;
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed?.protocol !== 'http:' && parsed?.protocol !== 'https:') {
    throw new UsageError(
      `--starmap-url ${hideCredentials(url)}: expected a URL like https://starmap.example`,
    );
  }
  return httpSession({ http, url, signal, apiVersion, retries });
}

interface GivenMap {
  value: unknown;
  source: string;
}

/** The first map that is not an empty list. */
async function readLocalMap({ text, file }: MapSources): Promise<GivenMap | undefined> {
  if (text !== undefined) {
    const value = parseText(text, '--repo', JSON.parse);
    if (!isEmptyList(value)) return { value, source: '--repo' };
  }
  const value = file === undefined ? [] : await readYamlFile(file);
  return file === undefined || isEmptyList(value) ? undefined : { value, source: file };
}

function isEmptyList(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0;
}
