import { NetworkError } from '../errors.ts';
import { drain, exchange } from './exchange.ts';
import type { HttpRequest, HttpResponse, Outcome } from './message.ts';
import { redirected } from './redirect.ts';
import { isRetried, isTemporary, retryDelay } from './retry.ts';
import type { Log } from '../io/log.ts';
import { wait } from './wait.ts';

export type { HttpRequest, HttpResponse } from './message.ts';

export interface Http {
  /**
   * Resolves with the final answer, whatever its status. Throws NetworkError when the retries are used up on network
   * faults, 408, 429 or 5xx (a request that is not retried resolves with those statuses too), and the signal's reason
   * when it fires.
   */
  request(request: HttpRequest): Promise<HttpResponse>;
}

export interface HttpOptions {
  log: Log;
  userAgent?: string;
  /** Attempts per request in all. Default 5. */
  attempts?: number;
  /** Wait before the first retry in milliseconds; it doubles with each. Default 500. */
  backoffMs?: number;
}

/** A client with retries, safe redirects and errors that bear no secret. */
export function createHttp(options: HttpOptions): Http {
  const settings = { userAgent: 'mender-docker-delta', attempts: 5, backoffMs: 500, ...options };
  return { request: (request) => withRetries(request, settings) };
}

async function withRetries(request: HttpRequest, settings: Required<HttpOptions>): Promise<HttpResponse> {
  for (let attempt = 1; ; attempt++) {
    const outcome = await withRedirects(request, settings.userAgent);
    const delay = retryDelay(request, outcome, attempt, settings);
    if (delay === undefined) return settle(request, outcome);
    settings.log.debug(
      `${describe(request)}: ${await reasonOf(outcome)}; attempt ${attempt + 1} in ${delay} ms`,
    );
    await wait(delay, request.signal);
  }
}

/** `GET https://host/path`, without the query, which may hold a signature. */
export function describe({ method, url }: HttpRequest): string {
  const { protocol, host, pathname } = new URL(url);
  return `${method} ${protocol}//${host}${pathname}`;
}

const MOST_REDIRECTS = 10;

async function withRedirects(request: HttpRequest, userAgent: string): Promise<Outcome> {
  let current = request;
  for (let hops = 0; hops <= MOST_REDIRECTS; hops++) {
    const outcome = await exchange(current, userAgent, describe(current));
    if (outcome.kind === 'failure' || request.followRedirects === false) return outcome;
    const next = redirected(current, outcome.response);
    if (next === undefined) return outcome;
    await drain(outcome.response);
    current = next;
  }
  throw new NetworkError(`${describe(request)}: more than ${MOST_REDIRECTS} redirects`);
}

async function settle(request: HttpRequest, outcome: Outcome): Promise<HttpResponse> {
  if (outcome.kind === 'failure') throw outcome.error;
  const { response } = outcome;
  if (!isRetried(request) || !isTemporary(response.status)) return response;
  throw new NetworkError(`${describe(request)}: ${await reasonOf(outcome)}`, {
    hint: hintFor(response.status),
  });
}

function hintFor(status: number): string {
  return status === 429 ? 'the server limits requests: log in, or try again later' : 'try again later';
}

async function reasonOf(outcome: Outcome): Promise<string> {
  if (outcome.kind === 'failure') return outcome.error.message;
  const { response } = outcome;
  const text = (await drain(response)).replace(/[^\x20-\x7e]+/g, ' ').trim();
  return `the server answered ${response.status}${text === '' ? '' : `: ${text}`}`;
}

const LARGEST_TEXT = 8 << 20;

/** The whole body; throws NetworkError when it is longer than `maxBytes`. */
export async function bytesOf(response: HttpResponse, maxBytes: number = LARGEST_TEXT): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response.body as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBytes) throw new NetworkError(`${hostOf(response)}: its answer exceeds ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** The whole body as UTF-8 text; throws NetworkError when it is longer than 8 MiB. */
export async function textOf(response: HttpResponse): Promise<string> {
  return (await bytesOf(response)).toString('utf8');
}

/** The whole body as JSON; throws NetworkError when it is none. */
export async function jsonOf(response: HttpResponse): Promise<unknown> {
  const text = await textOf(response);
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new NetworkError(`${hostOf(response)}: expected JSON, found something else`, {
      hint: 'check the server URL, and whether a proxy or a login page answers in its place',
    });
  }
}

function hostOf({ url }: HttpResponse): string {
  return new URL(url).host;
}
