import { NetworkError, NotFoundError, UnsupportedError } from '../errors.ts';
import { textOf } from '../http/http.ts';
import type { HttpResponse } from '../http/http.ts';
import type { RemoteFile } from '../download/remoteFile.ts';
import { failureOf, headersFor, send } from './client.ts';
import type { Library } from './client.ts';
import { archQuery } from './images.ts';

/** Which file to download. */
export interface FileKey {
  /** `entity/collection/container` */
  path: string;
  tag: string;
  arch: string;
}

const REDIRECTS = [301, 302, 303, 307, 308];

/** The library's answer to the question for a file: the file, or where it is. Throws NotFoundError. */
export async function askForFile(
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
    accept: [...REDIRECTS, 404, 416],
    ...(signal === undefined ? {} : { signal }),
  });
  if (response.status !== 404) return response;
  await textOf(response);
  throw new NotFoundError(`${path}:${tag} for ${arch}: requested image was not found in the library`, {
    hint: 'look with `library search`',
  });
}

/** Where a redirect leads, or undefined; throws NetworkError where that is nowhere or to plain http. */
export function locationOf({ status, headers, url, body }: HttpResponse, what: string): string | undefined {
  if (!REDIRECTS.includes(status)) return undefined;
  body.destroy();
  const location = headers['location'] ?? '';
  const address = URL.canParse(location, url) ? new URL(location, url) : undefined;
  if (address === undefined) throw new NetworkError(`${what}: the library redirects to no address`);
  if (address.protocol === 'http:' && url.startsWith('https:')) {
    throw new NetworkError(`${what}: the library redirects from https to plain http at ${address.host}`);
  }
  return address.href;
}

/** The first answer is the whole file already. */
export function openDirectly(library: Library, key: FileKey, first: HttpResponse): RemoteFile['open'] {
  let answer: HttpResponse | undefined = first;
  return async (range, signal) => {
    const response = range === undefined ? answer : undefined;
    answer?.body.on('error', () => undefined);
    if (response === undefined) answer?.body.destroy();
    answer = undefined;
    const next = response ?? (await askForFile(library, key, range, signal));
    if (!REDIRECTS.includes(next.status)) return next;
    next.body.destroy();
    throw new UnsupportedError(`${key.path}: the library redirects now what it sent itself before`, {
      hint: 'run again',
    });
  };
}

/** A signed address may expire during a long download: the library gives a new one. */
export function openStored(library: Library, key: FileKey, location: string): RemoteFile['open'] {
  let current = location;
  const what = `${key.path}:${key.tag}`;
  return async (range, signal) => {
    let response = await getStored(library, current, range, signal);
    if (response.status === 403) {
      await textOf(response);
      current = locationOf(await askForFile(library, key, undefined, signal), what) ?? current;
      response = await getStored(library, current, range, signal);
    }
    if (response.status < 300 || response.status === 416) return response;
    await textOf(response);
    // The storage's text may quote the signature.
    throw failureOf(`downloading ${what}`, response, '');
  };
}

function getStored(
  library: Library,
  url: string,
  range: string | undefined,
  signal: AbortSignal | undefined,
): Promise<HttpResponse> {
  const headers = { ...headersFor(library, url), ...(range === undefined ? {} : { range }) };
  return library.http.request({ method: 'GET', url, headers, signal });
}
