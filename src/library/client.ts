import { DeniedError, NetworkError, NotFoundError, UsageError } from '../errors.ts';
import type { UserError } from '../errors.ts';
import { textOf } from '../http/http.ts';
import type { Http, HttpRequest, HttpResponse } from '../http/http.ts';
import type { Log } from '../io/log.ts';
import { sameHost } from './url.ts';

/** One container library, and who asks it. */
export interface Library {
  http: Http;
  log: Log;
  /** As `https://library.example.com/`, with a slash at the end. */
  base: string;
  /** Goes to the host of `base` only. */
  token?: string | undefined;
  signal?: AbortSignal | undefined;
}

interface LibraryRequest extends Pick<
  HttpRequest,
  'method' | 'body' | 'contentLength' | 'followRedirects' | 'retry' | 'timeoutMs'
> {
  /** Below the base, as `v1/images/acme/apps/gateway:1`. */
  path: string;
  query?: Record<string, string>;
  headers?: Record<string, string>;
  json?: unknown;
  /** What is being done, for errors. */
  doing: string;
  /** Statuses beside 2xx that the caller deals with. */
  accept?: readonly number[];
  /** In place of the library's own; for what must happen after an interruption, too. */
  signal?: AbortSignal;
}

/** The base with a slash at its end; throws UsageError for what is no http or https address. */
export function libraryBase(address: string): string {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  const known = url?.protocol === 'http:' || url?.protocol === 'https:';
  if (url !== undefined && known && url.search === '' && url.username === '') {
    return url.href.endsWith('/') ? url.href : `${url.href}/`;
  }
  throw new UsageError(
    `library ${JSON.stringify(address)}: expected an address like https://library.example.com`,
    {
      hint: 'name the library with --library or LIBRARY_URL',
    },
  );
}

/** The headers for an address: the token only for the library's own scheme and host. */
export function headersFor({ base, token }: Library, address: string): Record<string, string> {
  return token !== undefined && sameHost(base, address) ? { authorization: `Bearer ${token}` } : {};
}

/** Sends a request; resolves for 2xx and the accepted statuses. Its body is still to be read. */
export async function send(library: Library, request: LibraryRequest): Promise<HttpResponse> {
  const { path, query = {}, json, doing, accept = [], headers, signal = library.signal, ...rest } = request;
  const parameters = new URLSearchParams(query).toString();
  const url = `${library.base}${encodePath(path)}${parameters === '' ? '' : `?${parameters}`}`;
  const response = await library.http.request({
    ...rest,
    ...(json === undefined ? {} : { body: JSON.stringify(json) }),
    url,
    headers: { ...headersFor(library, url), ...headers },
    signal,
  });
  if (response.status < 300 || accept.includes(response.status)) return response;
  throw failureOf(doing, response, await textOf(response));
}

function encodePath(path: string): string {
  return path
    .split('/')
    .map((part) => encodeURIComponent(part).replaceAll('%3A', ':'))
    .join('/');
}

/** The `data` of an answer's envelope; undefined for an empty body. */
export async function call(library: Library, request: LibraryRequest): Promise<unknown> {
  return dataOf(await textOf(await send(library, request)), request.doing);
}

/** As `call`, but undefined for a 404. */
export async function find(library: Library, request: LibraryRequest): Promise<unknown> {
  const response = await send(library, { ...request, accept: [404] });
  const text = await textOf(response);
  return response.status === 404 ? undefined : dataOf(text, request.doing);
}

function dataOf(text: string, doing: string): unknown {
  return text === '' ? undefined : envelopeOf(text, doing).data;
}

interface Envelope {
  data?: unknown;
  error?: { code?: number; message?: string };
}

function envelopeOf(text: string, doing: string): Envelope {
  const value = jsonIn(text);
  if (typeof value === 'object' && value !== null) return value;
  throw new NetworkError(`${doing}: expected JSON, found something else`, {
    hint: 'check the address of the library, and whether a proxy or a login page answers in its place',
  });
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** The error for an answer that is none, with the library's own words. */
export function failureOf(doing: string, { status, url }: HttpResponse, text: string): UserError {
  const words = (jsonIn(text) as Envelope | undefined)?.error?.message;
  const message = `${doing}: ${new URL(url).host} answered ${status}${words === undefined ? '' : `: ${words}`}`;
  if (status === 401 || status === 403) {
    return new DeniedError(message, {
      hint: 'set LIBRARY_TOKEN to a token, and LIBRARY_URL to the library that it is for',
    });
  }
  if (status === 404) return new NotFoundError(message, { hint: 'look with `library search`' });
  if (status >= 500 || status === 408 || status === 429)
    return new NetworkError(message, { hint: 'try again later' });
  return status < 400
    ? new NetworkError(message, { hint: 'check the address of the library' })
    : new UsageError(message);
}
