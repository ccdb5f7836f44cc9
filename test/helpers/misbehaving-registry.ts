import { createServer } from 'node:http';
import type { IncomingHttpHeaders, IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Digest } from '../../src/oci/digest.ts';
import { digestOf } from '../../src/oci/digest.ts';
import type { Built } from './images.ts';

/** One request as it arrived. */
interface Seen {
  method: string;
  /** With the query. */
  url: string;
  headers: IncomingHttpHeaders;
  body: string;
  bytes: Buffer;
}

/** Takes over the matching requests; `serve` answers them as a good registry would. */
export interface Fault {
  /** Found in `METHOD /path?query`. */
  match: RegExp;
  /** How many of the matching requests it takes; default all. */
  times?: number;
  act(request: Seen, response: ServerResponse, serve: () => void): void;
}

export interface MisbehavingRegistry {
  /** `127.0.0.1:PORT` */
  host: string;
  /** All requests so far. */
  seen: Seen[];
  faults: Fault[];
  add(repository: string, tag: string, built: Built): void;
  stop(): Promise<void>;
}

/** An in-process registry that serves what was added, except where a fault takes over. */
export async function startMisbehavingRegistry(faults: Fault[] = []): Promise<MisbehavingRegistry> {
  const store: Store = { manifests: new Map(), blobs: new Map() };
  const seen: Seen[] = [];
  const left = new Map<Fault, number>();
  const server = createServer((incoming, response) => {
    void receive(incoming).then((request) => {
      seen.push(request);
      const serve = (): void => serveFrom(store, request, response);
      const fault = faults.find(
        (one) =>
          one.match.test(`${request.method} ${request.url}`) && (left.get(one) ?? one.times ?? Infinity) > 0,
      );
      if (fault === undefined) {
        serve();
        return;
      }
      left.set(fault, (left.get(fault) ?? fault.times ?? Infinity) - 1);
      fault.act(request, response, serve);
    });
  });
  const host = await listen(server);
  return { host, seen, faults, add: (...image) => addTo(store, ...image), stop: () => close(server) };
}

interface Store {
  /** By `repository/tag` and `repository/digest`. */
  manifests: Map<string, { bytes: Buffer; mediaType: string; digest: Digest }>;
  blobs: Map<string, Buffer>;
}

function addTo(store: Store, repository: string, tag: string, built: Built): void {
  const put = (name: string, bytes: Buffer, mediaType: string, digest: Digest): void =>
    void store.manifests.set(`${repository}/${name}`, { bytes, mediaType, digest });
  for (const [digest, bytes] of built.blobs) {
    const mediaType = built.manifests.get(digest);
    if (mediaType === undefined) store.blobs.set(digest, bytes);
    else put(digest, bytes, mediaType, digest);
  }
  const { digest, mediaType } = built.descriptor;
  put(digest, built.manifest, mediaType, digest);
  put(tag, built.manifest, mediaType, digest);
}

async function receive(incoming: IncomingMessage): Promise<Seen> {
  const chunks: Buffer[] = [];
  // A request that breaks off has arrived as far as it got.
  try {
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
  } catch {
    chunks.push(Buffer.from('broken'));
  }
  const bytes = Buffer.concat(chunks);
  const { method = '', url = '', headers } = incoming;
  return { method, url, headers, body: bytes.toString(), bytes };
}

function serveFrom(store: Store, request: Seen, response: ServerResponse): void {
  const path = request.url.split('?', 1)[0] ?? '';
  if (request.method === 'POST' || request.method === 'PUT') {
    storeIn(store, path, request, response);
    return;
  }
  const [, repository, kind, name] = /^\/v2\/(.+)\/(manifests|blobs)\/([^/]+)$/.exec(path) ?? [];
  if (path === '/v2/') return void response.writeHead(200).end();
  if (kind === 'manifests') {
    serveManifest(store, `${repository}/${name}`, request, response);
    return;
  }
  const blob = kind === 'blobs' ? store.blobs.get(name ?? '') : undefined;
  if (blob === undefined) {
    refuse(response, 404, 'BLOB_UNKNOWN');
    return;
  }
  serveBlob(blob, request, response);
}

/** https://github.com/opencontainers/distribution-spec/blob/main/spec.md#push */
function storeIn(store: Store, path: string, request: Seen, response: ServerResponse): void {
  const [, repository = '', rest = ''] = /^\/v2\/(.+?)\/((?:blobs|manifests)\/.*)$/.exec(path) ?? [];
  const { bytes } = request;
  const digest = digestOf(bytes);
  if (request.method === 'POST') {
    response.writeHead(202, { location: `/v2/${repository}/blobs/uploads/1?state=x` }).end();
  } else if (rest.startsWith('blobs/')) {
    const asked = new URLSearchParams(request.url.split('?')[1]).get('digest');
    if (asked !== digest) {
      refuse(response, 400, 'DIGEST_INVALID');
      return;
    }
    store.blobs.set(digest, bytes);
    response.writeHead(201).end();
  } else {
    const mediaType = request.headers['content-type'] ?? '';
    const name = rest.slice('manifests/'.length);
    for (const key of [name, digest])
      store.manifests.set(`${repository}/${key}`, { bytes, mediaType, digest });
    response.writeHead(201, { 'docker-content-digest': digest }).end();
  }
}

function serveManifest(store: Store, key: string, request: Seen, response: ServerResponse): void {
  const manifest = store.manifests.get(key);
  if (manifest === undefined) {
    refuse(response, 404, 'MANIFEST_UNKNOWN');
    return;
  }
  response.writeHead(200, {
    'content-type': manifest.mediaType,
    'content-length': manifest.bytes.length,
    'docker-content-digest': manifest.digest,
  });
  response.end(request.method === 'HEAD' ? undefined : manifest.bytes);
}

function serveBlob(blob: Buffer, request: Seen, response: ServerResponse): void {
  const [, first] = /^bytes=(\d+)-$/.exec(request.headers.range ?? '') ?? [];
  const from = Number(first ?? 0);
  const range = { 'content-range': `bytes ${from}-${blob.length - 1}/${blob.length}` };
  const length = { 'content-length': blob.length - from };
  response.writeHead(first === undefined ? 200 : 206, first === undefined ? length : { ...length, ...range });
  response.end(blob.subarray(from));
}

/** Answers with an error in the registry's form. */
export function refuse(
  response: ServerResponse,
  status: number,
  code: string,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify({ errors: [{ code, message: code.toLowerCase().replaceAll('_', ' ') }] }));
}

/** An answer that never ends. */
export const endless: Fault['act'] = (_request, response) => {
  const more = (): void => {
    if (response.destroyed) return;
    if (response.write(Buffer.alloc(1 << 16))) setImmediate(more);
    else response.once('drain', more);
  };
  more();
};

/** Sends `count` bytes of a good answer and cuts the connection. */
export function cutAfter(count: number): Fault['act'] {
  return (_request, response, serve) => {
    const end = response.end.bind(response) as (chunk?: Buffer) => ServerResponse;
    response.end = ((chunk?: Buffer) => {
      if (chunk === undefined || chunk.length <= count) return end(chunk);
      response.write(chunk.subarray(0, count), () => response.destroy());
      return response;
    }) as typeof response.end;
    serve();
  };
}

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function close(server: Server): Promise<void> {
  const closed = new Promise((resolve) => server.close(resolve));
  server.closeAllConnections();
  await closed;
}
