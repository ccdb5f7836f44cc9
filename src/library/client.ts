import type { GenericSchema, InferOutput } from 'valibot';
import { safeParse } from 'valibot';
import { DeniedError, NetworkError, NotFoundError, UsageError } from '../errors.ts';
import type { UserError } from '../errors.ts';
import { describeText, textOf } from '../http/http.ts';
import type { Http, HttpRequest, HttpResponse } from '../http/http.ts';
import type { Log } from '../io/log.ts';
import { checked } from '../oci/json.ts';
import { ENVELOPE } from './answers.ts';
import { sameHost } from './url.ts';
import { hideCredentials } from '../io/redact.ts';

/** One container library, and how to ask it. */
export interface Library {
  http: Http;
  log: Log;
  /** The address, with a slash at the end: `https://library.example.com/`. */
  base: string;
  /** Goes to the host of `base` only. */
  token?: string | undefined;
  signal?: AbortSignal | undefined;
}

interface LibraryRequest extends Pick<
  HttpRequest,
  'method' | 'body' | 'contentLength' | 'followRedirects' | 'retry' | 'timeoutMs'
> {
  /** Below the base: `v1/images/acme/apps/gateway:1`. */
  path: string;
  query?: Record<string, string>;
  headers?: Record<string, string>;
  json?: unknown;
  /** What is being done, for errors: `looking up acme/apps/gateway`. */
  doing: string;
  /** Statuses from 300 on that the caller handles. */
  accepts?: (status: number) => boolean;
  /** Replaces the library's own signal, for a request that must be sent after an interruption. */
  signal?: AbortSignal;
}

/**
 * Returns the address with a slash at its end. Throws UsageError if it is not an http or https
 * address.
 */
export function libraryBase(address: string): string {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  const known = url?.protocol === 'http:' || url?.protocol === 'https:';
  if (url !== undefined && known && url.search === '' && url.username === '') {
    return url.href.endsWith('/') ? url.href : `${url.href}/`;
  }
  throw new UsageError(
    `library ${JSON.stringify(hideCredentials(address))}: expected an address like https://library.example.com`,
    { hint: 'name the library with --library or LIBRARY_URL' },
  );
}

/**
 * Returns the headers for an address, with the token if it is at the library's own scheme and host.
 */
export function headersFor({ base, token }: Library, address: string): Record<string, string> {
  return token !== undefined && sameHost(base, address) ? { authorization: `Bearer ${token}` } : {};
}

/**
 * Sends a request. Resolves for 2xx and the accepted statuses, with a body that is still to be
 * read.
 */
export async function send(library: Library, request: LibraryRequest): Promise<HttpResponse> {
  const { path, query = {}, json, doing, accepts, headers, signal = library.signal, ...rest } = request;
  const parameters = new URLSearchParams(query).toString();
  const url = `${library.base}${encodePath(path)}${parameters === '' ? '' : `?${parameters}`}`;
  const response = await library.http.request({
    ...rest,
    ...(json === undefined ? {} : { body: JSON.stringify(json) }),
    url,
    headers: { ...headersFor(library, url), ...headers },
    signal,
  });
  if (response.status < 300 || accepts?.(response.status) === true) return response;
  throw libraryFailure(doing, response, await textOf(response));
}

function encodePath(path: string): string {
  return path
    .split('/')
    .map((part) => encodeURIComponent(part).replaceAll('%3A', ':'))
    .join('/');
}

/**
 * Returns the `data` of a response, checked against a schema. Throws IntegrityError if it does not
 * fit, and DeniedError, NotFoundError, NetworkError or UsageError for an error response.
 */
export async function call<TSchema extends GenericSchema>(
  library: Library,
  request: LibraryRequest,
  schema: TSchema,
): Promise<InferOutput<TSchema>> {
  const text = await textOf(await send(library, request));
  return dataIn(text, request.doing, schema);
}

/** As `call`, but returns undefined for a 404. */
export async function callIfThere<TSchema extends GenericSchema>(
  library: Library,
  request: LibraryRequest,
  schema: TSchema,
): Promise<InferOutput<TSchema> | undefined> {
  const response = await send(library, { ...request, accepts: (status) => status === 404 });
  const text = await textOf(response);
  return response.status === 404 ? undefined : dataIn(text, request.doing, schema);
}

function dataIn<TSchema extends GenericSchema>(
  text: string,
  doing: string,
  schema: TSchema,
): InferOutput<TSchema> {
  const data = text === '' ? undefined : envelopeOf(text, doing).data;
  return checked(data, schema, `${doing}: the library's answer`);
}

function envelopeOf(text: string, doing: string): InferOutput<typeof ENVELOPE> {
  const result = safeParse(ENVELOPE, jsonOrUndefined(text));
  if (result.success) return result.output;
  throw new NetworkError(`${doing}: expected JSON, found ${describeText(text)}`, {
    hint: 'check the address of the library, and whether a proxy or a login page answers in its place',
  });
}

function jsonOrUndefined(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** Maps an error response to an error with the library's own words. */
export function libraryFailure(doing: string, { status, url }: HttpResponse, text: string): UserError {
  const result = safeParse(ENVELOPE, jsonOrUndefined(text));
  const words = result.success ? result.output.error?.message : undefined;
  const message = `${doing}: ${new URL(url).host} answered ${status}${words === undefined ? '' : `: ${words}`}`;
  if (status === 401 || status === 403) {
    return new DeniedError(message, {
      hint: 'set LIBRARY_TOKEN to a token, and LIBRARY_URL to the library that it is for',
    });
  }
  if (status === 404)
    return new NotFoundError(message, { hint: 'look with mender-docker-delta library search' });
  if (status >= 500 || status === 408 || status === 429) {
    return new NetworkError(message, { hint: 'try again later' });
  }
  return status < 400
    ? new NetworkError(message, { hint: 'check the address of the library' })
    : new UsageError(message);
}
