import { fallback, object, optional, safeParse, string } from 'valibot';
import { NetworkError } from '../errors.ts';
import type { Http, HttpResponse } from '../http/http.ts';
import { bytesOf, readJson, textOf } from '../http/http.ts';
import type { Reference } from '../oci/reference.ts';
import { formatReference } from '../oci/reference.ts';
import type { EngineRequest } from './client.ts';
import { NoUsualDaemon, Unreachable, connectionError, requestEngine } from './client.ts';
import type { Endpoint } from './endpoint.ts';
import { formatEndpoint } from './endpoint.ts';
import type { Inspected } from './inspect.ts';
import { isContainerdStore, parseInspect } from './inspect.ts';

/** A daemon that answered. */
export interface Engine {
  /** Returns undefined if the daemon has no such image. */
  inspect(reference: Reference, signal?: AbortSignal): Promise<Inspected | undefined>;
  /** True if image IDs are manifest digests. */
  usesContainerdStore(signal?: AbortSignal): Promise<boolean>;
  /** Returns the tar stream of `docker save`, or undefined if the daemon has no such image. */
  save(reference: Reference, signal?: AbortSignal): Promise<AsyncIterable<Buffer> | undefined>;
}

const QUICK_MS = 60_000;
/** Docker writes the whole image to its disk before it sends the first byte of a save. */
const SAVE_MS = 1_200_000;
const LARGEST_JSON = 16 << 20;

/**
 * Returns the first daemon that answers. Throws Unreachable if none does, and DeniedError if only
 * permission is missing.
 */
export async function findEngine(
  http: Http,
  endpoints: readonly Endpoint[],
  signal?: AbortSignal,
): Promise<Engine> {
  const failures: unknown[] = [];
  for (const endpoint of endpoints) {
    try {
      const request = { path: '/_ping', idleMs: QUICK_MS, signal };
      await bytesOf(await requestEngine(http, endpoint, request));
      return engineAt(http, endpoint);
    } catch (error) {
      signal?.throwIfAborted();
      failures.push(connectionError(error, endpoint));
    }
  }
  throw mostTelling(failures, endpoints);
}

function mostTelling(failures: readonly unknown[], endpoints: readonly Endpoint[]): unknown {
  const telling = failures.find((failure) => !(failure instanceof Unreachable));
  if (telling !== undefined || failures.length === 1) return telling ?? failures[0];
  return new NoUsualDaemon(`no daemon at ${endpoints.map(formatEndpoint).join(', ')}`, {
    hint: 'start Docker or podman, or set DOCKER_HOST to where it listens',
  });
}

function engineAt(http: Http, endpoint: Endpoint): Engine {
  const call = (request: EngineRequest): Promise<HttpResponse> => requestEngine(http, endpoint, request);
  let containerd: boolean | undefined;
  const askStore = async (signal?: AbortSignal): Promise<boolean> => {
    const what = 'asking the daemon for its image store';
    const response = await call({ path: '/info', idleMs: QUICK_MS, signal });
    return isContainerdStore(await readJson(await checkStatus(response, what), LARGEST_JSON));
  };
  return {
    async inspect(reference, signal) {
      const what = `asking the daemon for ${formatReference(reference)}`;
      const response = await call({ path: `/images/${nameIn(reference)}/json`, idleMs: QUICK_MS, signal });
      if (await isMissing(response)) return undefined;
      return parseInspect(await readJson(await checkStatus(response, what), LARGEST_JSON), what);
    },
    usesContainerdStore: async (signal) => (containerd ??= await askStore(signal)),
    async save(reference, signal) {
      const what = `saving ${formatReference(reference)} from the daemon`;
      const response = await call({ path: `/images/${nameIn(reference)}/get`, idleMs: SAVE_MS, signal });
      if (await isMissing(response)) return undefined;
      return chunksOf(await checkStatus(response, what), endpoint);
    },
  };
}

/**
 * Returns the name that finds the image. An image with a digest is found by it, whatever its tag
 * means now.
 */
function nameIn({ registry, repository, tag, digest }: Reference): string {
  if (digest !== undefined) return formatReference({ registry, repository, digest });
  return formatReference({ registry, repository, ...(tag === undefined ? {} : { tag }) });
}

/** Reads a response with status 404 to its end, so that its connection is free. */
async function isMissing(response: HttpResponse): Promise<boolean> {
  if (response.status !== 404) return false;
  await bytesOf(response);
  return true;
}

const FAILURE = object({ message: fallback(optional(string()), undefined) });

/**
 * Returns a response with status 200. Throws NetworkError with the daemon's own message for another
 * status.
 */
async function checkStatus(response: HttpResponse, what: string): Promise<HttpResponse> {
  if (response.status === 200) return response;
  const message = messageIn(await textOf(response).catch(() => ''));
  throw new NetworkError(`${what}: the daemon answered ${response.status} ${message}`.trimEnd(), {
    hint: "look into the daemon's log, and try again",
  });
}

function messageIn(text: string): string {
  try {
    const result = safeParse(FAILURE, JSON.parse(text));
    return (result.success ? result.output.message : undefined) ?? '';
  } catch {
    return '';
  }
}

async function* chunksOf({ body }: HttpResponse, endpoint: Endpoint): AsyncGenerator<Buffer> {
  try {
    for await (const chunk of body) yield chunk as Buffer;
  } catch (error) {
    throw connectionError(error, endpoint);
  } finally {
    body.destroy();
  }
}
