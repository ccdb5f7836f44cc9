import { DeniedError, NetworkError, UsageError, messageOf } from '../errors.ts';
import { jsonOf, textOf } from '../http/http.ts';
import type { Http, HttpResponse } from '../http/http.ts';
import { retryAfter } from '../http/retry.ts';
import { wait } from '../http/wait.ts';

export type QueryPair = readonly [name: string, value: string];

interface SessionAnswer {
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
  signal?: AbortSignal | undefined;
  /** Waits for so many milliseconds. */
  pause?: (milliseconds: number, signal: AbortSignal | undefined) => Promise<void>;
}

/** Milliseconds without a byte after which a request has failed. */
const TIMEOUT_MS = 10_000;
/** Milliseconds before each repetition. */
const PAUSES_MS = [0, 4000, 8000] as const;
const LONGEST_PAUSE_MS = 300_000;
const RETRY_AFTER: ReadonlySet<number> = new Set([413, 429, 503]);

/**
 * Milliseconds before the next attempt, or undefined where there is to be none: three repetitions of a request that
 * changes nothing, after 500 to 511, after a broken connection (no answer), and where the server names a time.
 */
export function pauseBefore(
  method: string,
  attempt: number,
  answer: Pick<HttpResponse, 'status' | 'headers'> | undefined,
): number | undefined {
  const backoff = PAUSES_MS[attempt - 1];
  if (method === 'POST' || backoff === undefined) return undefined;
  if (answer === undefined) return backoff;
  const asked = RETRY_AFTER.has(answer.status) ? retryAfter(answer.headers['retry-after']) : undefined;
  if (asked !== undefined) return asked <= LONGEST_PAUSE_MS ? asked : undefined;
  return answer.status >= 500 && answer.status <= 511 ? backoff : undefined;
}

/** A session with a server of destination maps. */
export function httpSession(options: SessionOptions): Session {
  const base = `${options.url.replace(/\/+$/, '')}/api/v2`;
  return {
    source: options.url,
    async get(path, query) {
      const search = new URLSearchParams(
        query.map(([name, value]): [string, string] => [name, value]),
      ).toString();
      const doing = `reading ${path} from ${options.url}`;
      const response = await patiently(`${base}/${path}${search === '' ? '' : `?${search}`}`, doing, options);
      return answerOf(response, doing);
    },
  };
}

async function patiently(
  url: string,
  doing: string,
  { http, signal, pause = wait }: SessionOptions,
): Promise<HttpResponse> {
  for (let attempt = 1; ; attempt++) {
    const headers = { accept: 'application/json' };
    const result = await http
      .request({ method: 'GET', url, headers, signal, retry: false, timeoutMs: TIMEOUT_MS })
      .catch((error: unknown) => (error instanceof NetworkError ? error : Promise.reject(error as Error)));
    const response = result instanceof NetworkError ? undefined : result;
    const delay = pauseBefore('GET', attempt, response);
    if (delay !== undefined) {
      response?.body.destroy();
      await pause(delay, signal);
    } else if (result instanceof NetworkError) {
      throw new NetworkError(`${doing}: ${messageOf(result)}`, {
        hint: 'check --starmap-url, or give a map with --repo-file',
      });
    } else return result;
  }
}

async function answerOf(response: HttpResponse, doing: string): Promise<SessionAnswer> {
  const { status } = response;
  if (status === 200) return { status, body: await jsonOf(response) };
  const text = (await textOf(response)).replace(/\s+/g, ' ').trim().slice(0, 300);
  if (status === 404) return { status, body: undefined };
  const message = `${doing}: the server answered ${status}${text === '' ? '' : `: ${text}`}`;
  if (status === 401 || status === 403) throw new DeniedError(message);
  if (status >= 500 || status === 408 || status === 429)
    throw new NetworkError(message, { hint: 'try again later' });
  throw new UsageError(message, { hint: 'check --starmap-url' });
}

/** A session that knows nothing and calls nobody. */
export const offlineSession: Session = {
  source: 'offline',
  get: () => Promise.resolve({ status: 404, body: undefined }),
};
