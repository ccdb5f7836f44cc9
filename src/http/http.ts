import type { Environment } from '../environment.ts';
import { NetworkError } from '../errors.ts';
import type { Log } from '../io/log.ts';
import type { Chunks } from '../io/streams.ts';
import { collect } from '../io/streams.ts';
import type { ExchangeSettings } from './exchange.ts';
import { discardResponse, exchange } from './exchange.ts';
import type { HttpRequest, HttpResponse, Attempt } from './message.ts';
import type { Patience } from './patience.ts';
import { patience } from './patience.ts';
import { redirected } from './redirect.ts';
import { isRetried, retryDelay } from './retry.ts';
import type { RetryPolicy } from './retryPolicy.ts';
import { DEFAULT_RETRIES } from './retryPolicy.ts';
import { wait } from './wait.ts';

export type { HttpRequest, HttpResponse } from './message.ts';

export interface Http {
  /**
   * Resolves with the final response, whatever its status. Throws NetworkError when no attempt is
   * left after network faults or temporary statuses (408, 429, 500, 502, 503, 504), and the
   * signal's reason when it fires. A request that is not retried resolves with those statuses too.
   */
  request(request: HttpRequest): Promise<HttpResponse>;
}

export interface HttpOptions {
  log: Log;
  userAgent?: string;
  /** Changes to the default policy: four repetitions, after 0.5, 1, 2 and 4 seconds. */
  retries?: Partial<RetryPolicy>;
  /** Waits between attempts. */
  wait?: typeof wait;
  /** HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY. Default none: all connections are direct. */
  environment?: Environment;
  /** Milliseconds without any byte, the first of a response included, that the user allows. */
  timeoutMs?: number | undefined;
}

/** What every request of a client shares. */
interface Settings extends ExchangeSettings {
  log: Log;
  retries: RetryPolicy;
  wait: typeof wait;
  patience: Patience;
}

/** A client with retries, safe redirects and errors that contain no secret. */
export function createHttp({ retries, ...options }: HttpOptions): Http {
  const settings = {
    userAgent: 'mender-docker-delta',
    wait,
    environment: {},
    timeoutMs: undefined,
    ...options,
    retries: { ...DEFAULT_RETRIES, ...retries },
    patience: patience(options.log),
  };
  return { request: (request) => requestWithRetries(request, settings) };
}

async function requestWithRetries(request: HttpRequest, settings: Settings): Promise<HttpResponse> {
  const { log, patience: told } = settings;
  const began = Date.now();
  const retries = { ...settings.retries, ...request.retries };
  for (let attempt = 1; ; attempt++) {
    const outcome = await told.tellWaiting(request, () => requestWithRedirects(request, settings));
    const delay = retryDelay(request, outcome, attempt, retries);
    if (delay === undefined) return responseOrThrow(request, outcome, retries);
    told.tellRepeating(request, outcome, Date.now() - began + delay);
    log.debug(`${describe(request)}: ${await reasonOf(outcome)}; attempt ${attempt + 1} in ${delay} ms`);
    await settings.wait(delay, request.signal);
  }
}

/** `GET https://host/path`, without the query, which may contain a signature. */
export function describe({ method, url }: HttpRequest): string {
  const { protocol, host, pathname } = new URL(url);
  return `${method} ${protocol}//${host}${pathname}`;
}

const MOST_REDIRECTS = 10;

async function requestWithRedirects(request: HttpRequest, settings: Settings): Promise<Attempt> {
  let current = request;
  for (let hops = 0; hops <= MOST_REDIRECTS; hops++) {
    const outcome = await exchange(current, settings, describe(current));
    if (outcome.kind === 'failure' || request.followRedirects === false) return outcome;
    const next = redirected(current, outcome.response);
    if (next === undefined) return outcome;
    await discardResponse(outcome.response);
    current = next;
  }
  throw new NetworkError(`${describe(request)}: more than ${MOST_REDIRECTS} redirects`);
}

async function responseOrThrow(
  request: HttpRequest,
  outcome: Attempt,
  { isTemporary }: RetryPolicy,
): Promise<HttpResponse> {
  if (outcome.kind === 'failure') throw outcome.error;
  const { response } = outcome;
  if (!isRetried(request) || !isTemporary(response.status)) return response;
  throw new NetworkError(`${describe(request)}: ${await reasonOf(outcome)}`, {
    hint: hintFor(response.status),
    cause: response.status,
  });
}

function hintFor(status: number): string {
  return status === 429 ? 'the server limits requests: log in, or try again later' : 'try again later';
}

async function reasonOf(outcome: Attempt): Promise<string> {
  if (outcome.kind === 'failure') return outcome.error.message;
  const { response } = outcome;
  const text = (await discardResponse(response)).replace(/[^\x20-\x7e]+/g, ' ').trim();
  return `the server answered ${response.status}${text === '' ? '' : `: ${text}`}`;
}

const LARGEST_TEXT = 8 << 20;
const LONGEST_MS = 300_000;

/**
 * The whole body. Throws NetworkError if it is longer than `maxBytes`, 8 MiB by default, or takes
 * longer than `longestMs` milliseconds, 5 minutes by default.
 */
export async function bytesOf(
  response: HttpResponse,
  maxBytes: number = LARGEST_TEXT,
  longestMs: number = LONGEST_MS,
): Promise<Buffer> {
  const host = hostOf(response);
  const tooLong = () => new NetworkError(`${host}: its answer exceeds ${maxBytes} bytes`);
  const tooLate = new NetworkError(`${host}: its answer took longer than ${longestMs / 1000} seconds`);
  const timer = setTimeout(() => response.body.destroy(tooLate), longestMs);
  try {
    return await collect(response.body as Chunks, maxBytes, tooLong);
  } finally {
    clearTimeout(timer);
  }
}

/** The whole body as UTF-8 text. Throws as `bytesOf`. */
export async function textOf(response: HttpResponse, maxBytes?: number): Promise<string> {
  return (await bytesOf(response, maxBytes)).toString('utf8');
}

/** The whole body, parsed as JSON. Throws NetworkError for anything else, and as `textOf`. */
export async function readJson(response: HttpResponse, maxBytes?: number): Promise<unknown> {
  const text = await textOf(response, maxBytes);
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new NetworkError(`${hostOf(response)}: expected JSON, found ${describeText(text)}`, {
      hint: 'check the server URL, and whether a proxy or a login page answers in its place',
    });
  }
}

/** What a text is that was expected to be something else. */
export function describeText(text: string): string {
  if (text.trim() === '') return 'nothing';
  return /^\s*(<!doctype html|<html)/i.test(text) ? 'a web page' : 'something else';
}

function hostOf({ url }: HttpResponse): string {
  return new URL(url).host;
}
