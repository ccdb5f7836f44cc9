import { DeniedError, NetworkError, UsageError } from '../errors.ts';
import { describeText, textOf } from '../http/http.ts';
import { excerpt, hideCredentials } from '../io/redact.ts';
import type { Http, HttpResponse } from '../http/http.ts';
import type { RetryPolicy } from '../http/retryPolicy.ts';

export type QueryPair = readonly [name: string, value: string];

/** The answer of a server of destination maps. */
export interface SessionAnswer {
  status: number;
  /** Parsed JSON of a 200, undefined of a 404. */
  body: unknown;
}

/** How the client of a map reaches the server; another one may be put in its place. */
export interface Session {
  /** Where answers come from, for messages. */
  readonly source: string;
  /** Resolves for 200 and 404. Throws for any other answer. */
  get(path: string, query: readonly QueryPair[]): Promise<SessionAnswer>;
}

export interface SessionOptions {
  http: Http;
  /** As `https://starmap.example`; `/api/v2` follows. */
  url: string;
  /** As in the path. */
  apiVersion?: string | undefined;
  retries?: RetryPolicy | undefined;
  signal?: AbortSignal | undefined;
}

/** Milliseconds without a byte after which an attempt fails. */
const TIMEOUT_MS = 10_000;
const HEEDS_RETRY_AFTER: ReadonlySet<number> = new Set([413, 429, 503]);

/**
 * The rules of the original client of StArMap: `count` repetitions, the first at once, the others
 * after `backoff` seconds times 2, 4, 8 and so on.
 */
export function starmapRetries(count = 3, backoff = 2): RetryPolicy {
  return {
    pausesMs: Array.from({ length: count }, (_, index) => (index === 0 ? 0 : backoff * 2 ** index * 1000)),
    isTemporary: (status) => status >= 500 && status <= 511,
    saysUndone: () => false,
    heedsRetryAfter: (status) => HEEDS_RETRY_AFTER.has(status),
    longestRetryAfterMs: 300_000,
  };
}

/** A session with a server of destination maps. */
export function httpSession(options: SessionOptions): Session {
  const base = `${options.url.replace(/\/+$/, '')}/api/${options.apiVersion ?? 'v2'}`;
  const shown = hideCredentials(options.url);
  return {
    source: shown,
    async get(path, query) {
      const search = new URLSearchParams(
        query.map(([name, value]): [string, string] => [name, value]),
      ).toString();
      const doing = `reading ${path} from ${shown}`;
      const response = await request(`${base}/${path}${search === '' ? '' : `?${search}`}`, doing, options);
      return answerOf(response, doing);
    },
  };
}

async function request(
  url: string,
  doing: string,
  { http, signal, retries }: SessionOptions,
): Promise<HttpResponse> {
  const headers = { accept: 'application/json' };
  const settings = { retries: retries ?? starmapRetries(), timeoutMs: TIMEOUT_MS };
  try {
    return await http.request({ method: 'GET', url, headers, signal, ...settings });
  } catch (error) {
    if (!(error instanceof NetworkError)) throw error;
    const answered = typeof error.cause === 'number';
    throw new NetworkError(`${doing}: ${error.message}`, {
      hint: answered ? 'try again later' : 'check --starmap-url, or give a map with --repo-file',
    });
  }
}

async function answerOf(response: HttpResponse, doing: string): Promise<SessionAnswer> {
  const { status } = response;
  if (status === 200) return { status, body: await jsonIn(response, doing) };
  const text = excerpt(await textOf(response), 300);
  if (status === 404) return { status, body: undefined };
  const message = `${doing}: the server answered ${status}${text === '' ? '' : `: ${text}`}`;
  if (status === 401 || status === 403) throw new DeniedError(message);
  if (status >= 500 || status === 408 || status === 429)
    throw new NetworkError(message, { hint: 'try again later' });
  throw new UsageError(message, { hint: 'check --starmap-url' });
}

async function jsonIn(response: HttpResponse, doing: string): Promise<unknown> {
  const text = await textOf(response);
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new NetworkError(`${doing}: expected JSON, found ${describeText(text)}`, {
      hint: 'check --starmap-url, and whether a proxy or a login page answers in its place',
    });
  }
}

/** A session that knows nothing and calls nobody. */
export const offlineSession: Session = {
  source: 'offline',
  get: () => Promise.resolve({ status: 404, body: undefined }),
};
