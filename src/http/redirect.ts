import { NetworkError } from '../errors.ts';
import type { HttpRequest, HttpResponse } from './message.ts';

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
const CREDENTIALS: ReadonlySet<string> = new Set(['authorization', 'cookie', 'proxy-authorization']);

/**
 * The request that follows a redirect, or undefined if the response is not a redirect. For another
 * scheme, host or port it has no credentials, and names its giver. Throws NetworkError for a
 * redirect that would send a body there, as it may contain credentials, and for one from https to
 * plain http.
 */
export function redirected(request: HttpRequest, response: HttpResponse): HttpRequest | undefined {
  const location = response.headers['location'];
  if (!REDIRECTS.has(response.status) || location === undefined) return undefined;
  const from = new URL(request.url);
  const to = target(location, from);
  const next = withMethodFor(response.status, { ...request, url: to.href });
  if (from.origin === to.origin) return next;
  if (request.socketPath !== undefined) {
    throw new NetworkError(`${request.socketPath} redirects to another host, ${to.host}`);
  }
  if (from.protocol === 'https:' && to.protocol === 'http:' && !mayBePlain(request, to)) {
    throw new NetworkError(`${from.host} redirects from https to plain http at ${to.host}`, {
      hint: `if the network between can be trusted, use --insecure-registry ${to.host}`,
    });
  }
  if (next.body !== undefined) {
    throw new NetworkError(`${from.host} redirects an upload to another host, ${to.host}`);
  }
  delete next.certificates;
  return { ...next, givenBy: from.hostname, headers: withoutCredentials(request.headers ?? {}) };
}

function mayBePlain({ plainHosts = [] }: HttpRequest, { host, hostname }: URL): boolean {
  return isLoopback(hostname) || plainHosts.includes(host);
}

function target(location: string, from: URL): URL {
  const to = URL.canParse(location, from.href) ? new URL(location, from) : undefined;
  if (to?.protocol === 'http:' || to?.protocol === 'https:') return to;
  throw new NetworkError(`${from.host} redirects to an address that is not an http or https URL`);
}

/** https://www.rfc-editor.org/rfc/rfc9110#name-redirection-3xx */
function withMethodFor(status: number, request: HttpRequest): HttpRequest {
  const becomesGet =
    (status === 303 && request.method !== 'HEAD') || (status < 303 && request.method === 'POST');
  if (!becomesGet) return request;
  const next: HttpRequest = { ...request, method: 'GET' };
  delete next.body;
  delete next.contentLength;
  return next;
}

function withoutCredentials(headers: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !CREDENTIALS.has(name.toLowerCase())));
}

/** True for a host, as in `URL.hostname`, that is this machine. */
export function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname);
}
