import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { listen } from '../helpers/listen.ts';

/** What a request was, or is to be. */
interface Asked {
  method: string;
  path: string;
  query?: string;
  headers?: Record<string, string>;
  body?: unknown;
}

/** One exchange of a conformance vector. */
export interface Exchange extends Asked {
  response: {
    status: number;
    headers?: Record<string, string>;
    /** JSON; the digits of a number are the bytes. */
    body?: unknown;
    body_length?: number;
  };
}

interface Seen {
  method: string;
  path: string;
  query: string;
  headers: IncomingHttpHeaders;
  bytes: Buffer;
}

export interface Replay {
  base: string;
  other: string;
  seen: Seen[];
  /** Requests that no exchange answered. */
  unexpected: string[];
}

/** The bytes that the vectors' downloads bring. */
export const CONTENT = Buffer.from('1234567890'.repeat(3));

/**
 * Plays the servers of a vector: `base` answers what the exchanges say, `other` is a storage that
 * refuses tokens.
 */
export async function replay(exchanges: readonly Exchange[]): Promise<Replay> {
  const left = [...exchanges];
  const seen: Seen[] = [];
  const unexpected: string[] = [];
  const other = await listen(serveStorage);
  const base: string = await listen((request, response) => {
    void receive(request).then((one) => {
      seen.push(one);
      const position = left.findIndex((exchange) => fits(exchange, one));
      const [exchange] = position < 0 ? [] : left.splice(position, 1);
      if (exchange === undefined) {
        unexpected.push(`${one.method} ${one.path}?${one.query}`);
        response.writeHead(599).end();
      } else
        answer(exchange, one, response, (text) =>
          text.replaceAll('{base}', base).replaceAll('{other}', other),
        );
    });
  });
  return { base, other, seen, unexpected };
}

async function receive(request: IncomingMessage): Promise<Seen> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  const { pathname, search } = new URL(request.url ?? '', 'http://host');
  const { method = '', headers } = request;
  return {
    method,
    path: decodeURIComponent(pathname),
    query: search.slice(1),
    headers,
    bytes: Buffer.concat(chunks),
  };
}

function fits(exchange: Exchange, { method, path, query, headers }: Seen): boolean {
  const range = exchange.headers?.['range'];
  return (
    exchange.method === method &&
    exchange.path === path &&
    (exchange.query ?? '') === query &&
    (range === undefined || range === headers.range)
  );
}

function answer(
  { response: { status, headers, body, body_length } }: Exchange,
  request: Seen,
  response: ServerResponse,
  fill: (text: string) => string,
): void {
  const filled = Object.entries(headers ?? {}).map(([name, value]) => [name, fill(value)] as const);
  const bytes = bytesOf(body, body_length, fill);
  response.writeHead(status, {
    ...Object.fromEntries(filled),
    ...rangeOf(request, status),
    'content-length': bytes.length,
  });
  response.end(bytes);
}

function bytesOf(body: unknown, length: number | undefined, fill: (text: string) => string): Buffer {
  if (length !== undefined) return Buffer.alloc(length, 'x');
  if (body === undefined || body === null) return Buffer.alloc(0);
  if (typeof body === 'number') return body > 1e20 ? CONTENT : Buffer.from(String(body));
  return Buffer.from(fill(JSON.stringify(body)));
}

function rangeOf({ headers }: Seen, status: number): Record<string, string> {
  const range = headers.range?.replace('bytes=', 'bytes ');
  return status === 206 && range !== undefined ? { 'content-range': `${range}/${CONTENT.length}` } : {};
}

function serveStorage({ headers }: IncomingMessage, response: ServerResponse): void {
  if (headers.authorization !== undefined) return void response.writeHead(499).end();
  const [, start, end] = /^bytes=(\d+)-(\d+)$/.exec(headers.range ?? '') ?? [];
  const bytes = CONTENT.subarray(Number(start), Number(end) + 1);
  const range = { 'content-range': `bytes ${start!}-${end!}/${CONTENT.length}` };
  response.writeHead(206, { 'content-length': bytes.length, ...range }).end(bytes);
}

/** A request as the vectors write it: the headers that `like` names, the body as they have it. */
export function described(seen: Seen, like: Asked): Asked {
  const names = Object.keys(like.headers ?? {}).filter(
    (name) => name !== 'content-length' || isBinary(like.body),
  );
  const headers = Object.fromEntries(names.map((name) => [name, String(seen.headers[name])]));
  const { method, path, query } = seen;
  return {
    method,
    path,
    query,
    headers,
    ...(seen.bytes.length === 0 ? {} : { body: bodyLike(seen.bytes, like.body) }),
  };
}

/**
 * What a vector expects of a request: of a JSON body only what a server reads, the filled fields.
 */
export function expected({ method, path, query = '', headers = {}, body }: Asked): Asked {
  const kept = Object.entries(headers).filter(([name]) => name !== 'content-length' || isBinary(body));
  const content = isBinary(body) || body === undefined ? body : filledFields(body as Record<string, unknown>);
  return {
    method,
    path,
    query,
    headers: Object.fromEntries(kept),
    ...(content === undefined ? {} : { body: content }),
  };
}

function isBinary(body: unknown): boolean {
  return typeof body === 'object' && body !== null && 'binary_length' in body;
}

/**
 * The vectors' client sends every field of its models, most of them empty; no server reads those.
 */
function filledFields(body: Record<string, unknown>): Record<string, unknown> {
  const isModel = 'createdAt' in body;
  const empty = ['', 0, null, false, '0001-01-01T00:00:00Z'] as unknown[];
  return Object.fromEntries(Object.entries(body).filter(([, value]) => !isModel || !empty.includes(value)));
}

function bodyLike(bytes: Buffer, like: unknown): unknown {
  if (!isBinary(like)) return JSON.parse(bytes.toString('utf8')) as unknown;
  return { binary_length: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };
}
