import type { Http, HttpRequest } from '../http/http.ts';
import { textOf } from '../http/http.ts';
import { AnswerError } from './answer.ts';
import type { ApiRequest, ApiResponse } from './apiMessage.ts';
import { serverFailure } from './failure.ts';

/** The management API of one Mender server. https://docs.mender.io/api/ */
export interface Api {
  /** Scheme and host, without a slash at the end. */
  readonly host: string;
  /** The tenant that owns the artifacts; empty on a server without tenants. */
  readonly tenant: string;
  readonly http: Http;
  readonly signal: AbortSignal | undefined;
  /**
   * Resolves for 2xx and the accepted statuses. Throws DeniedError, NotFoundError, UsageError,
   * UnsupportedError or NetworkError for the others, with the server's message and request id.
   */
  call(request: ApiRequest): Promise<ApiResponse>;
}

export interface ApiOptions {
  http: Http;
  /** As `https://hosted.mender.io`. */
  host: string;
  /** The value of the Authorization header: `Bearer <token>`. */
  authorization: string;
  signal?: AbortSignal | undefined;
}

/** The API at `host` for the user that `authorization` names. */
export function createApi({ http, host, authorization, signal }: ApiOptions): Api {
  const base = host.replace(/\/+$/, '');
  const call = async (request: ApiRequest): Promise<ApiResponse> => {
    const response = await http.request(httpRequest(base, authorization, request, signal));
    const answer = { status: response.status, headers: response.headers, text: await textOf(response) };
    const fine = answer.status < 300 || request.accept?.includes(answer.status) === true;
    if (!fine) throw serverFailure(request.doing, base, answer);
    return answer;
  };
  return { host: base, tenant: tenantOf(authorization), http, signal, call };
}

/**
 * The tenant in a Mender token, which is a JWT. https://www.rfc-editor.org/rfc/rfc7519#section-3
 */
function tenantOf(authorization: string): string {
  const [, claims = ''] = authorization.split('.');
  try {
    const tenant = (JSON.parse(Buffer.from(claims, 'base64url').toString()) as Record<string, unknown>)[
      'mender.tenant'
    ];
    return typeof tenant === 'string' ? tenant : '';
  } catch {
    return '';
  }
}

function httpRequest(
  base: string,
  authorization: string,
  { method, path, query, headers, json, body, contentLength, retry, timeoutMs }: ApiRequest,
  signal: AbortSignal | undefined,
): HttpRequest {
  const content = json === undefined ? body : JSON.stringify(json);
  return {
    method,
    ...(content === undefined ? {} : { body: content }),
    ...(contentLength === undefined ? {} : { contentLength }),
    ...(retry === undefined ? {} : { retry }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    url: `${base}${path}${queryOf(query ?? {})}`,
    headers: {
      authorization,
      accept: 'application/json',
      ...(json === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    signal,
  };
}

function queryOf(query: NonNullable<ApiRequest['query']>): string {
  const pairs = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    for (const one of value === undefined ? [] : [value].flat()) pairs.append(name, String(one));
  }
  return pairs.size === 0 ? '' : `?${pairs.toString()}`;
}

/** The last segment of the Location header of a 201. */
export function createdId({ headers }: ApiResponse, doing: string): string {
  const id = (headers['location'] ?? '').split('/').at(-1) ?? '';
  if (id !== '') return id;
  throw new AnswerError(`${doing}: the server does not say what it created (no Location header)`);
}
