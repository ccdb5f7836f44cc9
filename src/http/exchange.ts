import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { Readable } from 'node:stream';
import type { Environment } from '../environment.ts';
import axios from 'axios';
import type { AxiosRequestConfig, AxiosResponse, LookupAddressEntry } from 'axios';
import { NetworkError } from '../errors.ts';
import { networkFailure } from './failure.ts';
import { blocksOf } from './blocks.ts';
import { guardedBody } from './body.ts';
import { Guard } from './guard.ts';
import type { Timeouts } from './guard.ts';
import type { HttpRequest, HttpResponse, Attempt } from './message.ts';
import { excerpt, registerSignature } from '../io/redact.ts';
import { addressesFor } from './ownMachine.ts';
import { proxyName, withoutBrackets } from './proxy.ts';
import type { Route } from './route.ts';
import { routeOf } from './route.ts';
import { ProxyRefusal } from './tunnel.ts';

const DEFAULT_TIMEOUT_MS = 60_000;

/** What every request of a client shares. */
export interface ExchangeSettings {
  userAgent: string;
  /** Variables that may name a proxy. */
  environment: Environment;
  /** The user's limit in milliseconds for the time without any byte. */
  timeoutMs: number | undefined;
}

/**
 * Sends one request and returns its response: no redirect, no retry. `what` names the request in
 * errors. Throws the signal's reason when it fires, and the error of the request body.
 */
export async function exchange(
  request: HttpRequest,
  settings: ExchangeSettings,
  what: string,
): Promise<Attempt> {
  registerSignature(request.url);
  const route = routeOf(request, settings.environment);
  const guard = new Guard(timeoutsOf(request, settings), request.signal);
  const body = typeof request.body === 'function' ? watched(request.body(), guard) : request.body;
  try {
    const headers = headersOf(request, settings.userAgent);
    const config = configOf(request, headers, body, guard.signal);
    const lookup = await lookupFor(request, route, guard);
    const answer = await axios.request<IncomingMessage>({ ...config, ...route, ...lookup });
    refuseFromProxy(route, answer);
    guard.answered();
    return { kind: 'response', response: responseOf(request, answer, guard, what) };
  } catch (error) {
    guard.end();
    if (body instanceof Readable) body.destroy();
    const failure = guard.failure;
    if (failure !== undefined) throw failure.error;
    if (error instanceof NetworkError) throw error;
    return networkFailure(error, what, guard.lateness);
  }
}

/**
 * How a name that another host supplied is looked up. A proxy looks names up by itself. An IP
 * address is never looked up, so this throws NetworkError if it is one of this machine.
 */
async function lookupFor(
  { url, givenBy, socketPath }: HttpRequest,
  { isDirect }: Route,
  guard: Guard,
): Promise<Pick<AxiosRequestConfig, 'lookup'>> {
  if (givenBy === undefined || socketPath !== undefined) return {};
  const { hostname } = new URL(url);
  if (isIP(withoutBrackets(hostname)) !== 0) await addressesFor(hostname, givenBy);
  if (!isDirect) return {};
  const lookup: NonNullable<AxiosRequestConfig['lookup']> = (name, _options, done) => {
    addressesFor(name, givenBy).then(
      (addresses) => done(null, addresses as LookupAddressEntry[]),
      (error: unknown) => {
        if (error instanceof NetworkError) guard.fail(error);
        done(error as Error, []);
      },
    );
  };
  return { lookup };
}

/** A limit of the user is for the first byte as well. */
function timeoutsOf(request: HttpRequest, { timeoutMs }: ExchangeSettings): Timeouts {
  const idleMs = request.timeoutMs ?? timeoutMs ?? DEFAULT_TIMEOUT_MS;
  return { idleMs, firstByteMs: timeoutMs ?? request.firstByteMs ?? idleMs };
}

/** The proxy of a plain http request answers itself if it wants a password. */
function refuseFromProxy({ proxy }: Route, answer: AxiosResponse<IncomingMessage>): void {
  if (proxy === false || answer.status !== 407) return;
  answer.data.destroy();
  throw new ProxyRefusal(`the proxy ${proxyName(proxy)} wants a user and password (407)`, 407);
}

function configOf(
  request: HttpRequest,
  headers: Record<string, string | false>,
  data: string | Uint8Array | Readable | undefined,
  signal: AbortSignal,
): AxiosRequestConfig {
  return {
    method: request.method,
    url: request.url,
    headers,
    data: data instanceof Uint8Array ? Buffer.from(data.buffer, data.byteOffset, data.byteLength) : data,
    responseType: 'stream',
    decompress: false,
    maxRedirects: 0,
    maxBodyLength: Infinity,
    // Not Infinity: axios would wrap the stream in another one that counts.
    maxContentLength: -1,
    validateStatus: () => true,
    transformRequest: [(same: unknown) => same],
    signal,
  };
}

function headersOf(request: HttpRequest, userAgent: string): Record<string, string | false> {
  const given = Object.entries(request.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value]);
  return {
    // Asks for uncompressed transfer: digests and ranges are about these bytes.
    'accept-encoding': 'identity',
    'user-agent': userAgent,
    // Stops axios from adding its own.
    'content-type': false,
    // axios would name a socket's host `localhost`.
    ...(request.socketPath !== undefined && { host: new URL(request.url).host }),
    ...(request.contentLength === undefined ? {} : { 'content-length': `${request.contentLength}` }),
    ...(Object.fromEntries(given) as Record<string, string>),
  };
}

/**
 * The request body. Its progress restarts the guard's clock; its failure comes before that of the
 * request.
 */
function watched(body: Readable, guard: Guard): Readable {
  body.once('error', (error) => guard.fail(error));
  body.on('data', () => guard.touch());
  return body.pause();
}

function responseOf(
  request: HttpRequest,
  answer: AxiosResponse<IncomingMessage>,
  guard: Guard,
  what: string,
): HttpResponse {
  const headers = Object.fromEntries(
    Object.entries(answer.headers as Record<string, unknown>).map(([name, value]) => [
      name.toLowerCase(),
      String(value),
    ]),
  );
  const broken = (error: unknown): unknown => {
    const failure = guard.failure;
    if (failure !== undefined) return failure.error;
    return networkFailure(error, `${what}: the answer broke off`, guard.lateness).error;
  };
  const body = guardedBody(answer.data, guard, broken);
  return {
    status: answer.status,
    headers,
    url: request.url,
    body,
    blocks: blocksOf(answer.data, guard, broken),
  };
}

const LONGEST_EXCERPT = 300;
/** Characters that are read to find whole secrets in an excerpt. */
const LONGEST_READ = 32 << 10;

/**
 * Ends a response that is not wanted, to free its connection. Returns the redacted start of its
 * text, for messages.
 */
export async function discardResponse({ body }: HttpResponse): Promise<string> {
  let text = '';
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      text += chunk.toString('latin1', 0, LONGEST_READ);
      if (text.length >= LONGEST_READ) break;
    }
  } catch {
    // The text so far is enough for a message.
  }
  return excerpt(text, LONGEST_EXCERPT);
}
