import type { RemoteFile } from '../download/remoteFile.ts';
import { NetworkError, NotFoundError, UnsupportedError } from '../errors.ts';
import { textOf } from '../http/http.ts';
import type { HttpResponse } from '../http/http.ts';
import { redirected } from '../http/redirect.ts';
import type { Library } from './client.ts';
import { libraryFailure, headersFor, send } from './client.ts';
import { archQuery } from './images.ts';

/** Names a file to download. */
export interface FileKey {
  /** `entity/collection/container` */
  path: string;
  tag: string;
  arch: string;
}

function isRedirect({ status }: HttpResponse): boolean {
  return status >= 300 && status < 400;
}

/**
 * Asks the library for a file. Returns the file itself, or a redirect to it. Throws NotFoundError.
 */
export async function requestFile(
  library: Library,
  { path, tag, arch }: FileKey,
  range: string | undefined,
  signal: AbortSignal | undefined,
): Promise<HttpResponse> {
  const response = await send(library, {
    method: 'GET',
    path: `v1/imagefile/${path}:${tag}`,
    query: archQuery(arch),
    headers: range === undefined ? {} : { range },
    doing: `downloading ${path}:${tag}`,
    followRedirects: false,
    accepts: (status) => status < 400 || status === 404 || status === 416,
    ...(signal === undefined ? {} : { signal }),
  });
  if (response.status !== 404) return response;
  await textOf(response);
  throw new NotFoundError(`${path}:${tag} for ${arch}: requested image was not found in the library`, {
    hint: 'look with mender-docker-delta library search',
  });
}

/**
 * Returns the address that a redirect leads to, or undefined for another response. Throws
 * NetworkError for a redirect without an address or to plain http.
 */
export function locationIn(response: HttpResponse, what: string): string | undefined {
  if (!isRedirect(response)) return undefined;
  response.body.destroy();
  const next = redirected({ method: 'GET', url: response.url }, response);
  if (next !== undefined) return next.url;
  throw new NetworkError(`${what}: the library redirects to no address`);
}

/** Opens a file that the library sends itself. `first` is its response to the first request. */
export function openDirectly(library: Library, key: FileKey, first: HttpResponse): RemoteFile['open'] {
  let unread: HttpResponse | undefined = first;
  return async (range, signal) => {
    const response = range === undefined ? unread : undefined;
    unread?.body.on('error', () => undefined);
    if (response === undefined) unread?.body.destroy();
    unread = undefined;
    const next = response ?? (await requestFile(library, key, range, signal));
    if (!isRedirect(next)) return next;
    next.body.destroy();
    throw new UnsupportedError(`${key.path}: the library now redirects what it sent itself before`, {
      hint: 'run again',
    });
  };
}

/**
 * Opens a file in a storage. A signed address may expire during a long download; then the library
 * gives a new one.
 */
export function openStored(library: Library, key: FileKey, location: string): RemoteFile['open'] {
  let current = location;
  const what = `${key.path}:${key.tag}`;
  return async (range, signal) => {
    let response = await requestStored(library, current, range, signal);
    if (response.status === 403) {
      await textOf(response);
      current = locationIn(await requestFile(library, key, undefined, signal), what) ?? current;
      response = await requestStored(library, current, range, signal);
    }
    if (response.status < 300 || response.status === 416) return response;
    await textOf(response);
    // The storage's text may quote the signature.
    throw libraryFailure(`downloading ${what}`, response, '');
  };
}

function requestStored(
  library: Library,
  url: string,
  range: string | undefined,
  signal: AbortSignal | undefined,
): Promise<HttpResponse> {
  const headers = { ...headersFor(library, url), ...(range === undefined ? {} : { range }) };
  const givenBy = new URL(library.base).hostname;
  return library.http.request({ method: 'GET', url, givenBy, headers, signal });
}
