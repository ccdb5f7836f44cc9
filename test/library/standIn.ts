/* eslint complexity: "off" -- one branch for each call that a library knows */
import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { listen } from '../helpers/listen.ts';

interface StoredImage {
  id: string;
  containerId: string;
  path: string;
  hash: string;
  arch: string;
  uploaded: boolean;
  bytes: Buffer;
}

/**
 * A container library that keeps what it is given, and a storage on another port that refuses
 * tokens.
 */
export interface LibraryStandIn {
  url: string;
  /** `host:port` of the library. */
  host: string;
  token: string;
  /** `METHOD path` of every request to the library, and `storage METHOD [range]` to the storage. */
  calls: string[];
  /** Authorization headers as they arrived at the storage. */
  leaked: string[];
  /** Takes over matching requests. */
  fault?:
    | { match: RegExp; times: number; act(request: IncomingMessage, response: ServerResponse): void }
    | undefined;
  /** Puts a file there without a request. */
  put(path: string, tag: string, bytes: Buffer, arch?: string): void;
  /** Bytes of every part of an upload above 64 MiB. */
  partSize: number;
  images: StoredImage[];
}

const hashOf = (bytes: Buffer): string => `sha256.${createHash('sha256').update(bytes).digest('hex')}`;

export async function startLibrary(): Promise<LibraryStandIn> {
  const [calls, leaked, images]: [string[], string[], StoredImage[]] = [[], [], []];
  const tags = new Map<string, string>();
  const nodes = new Map<string, string>();
  const uploads = new Map<string, Buffer[]>();
  const library: LibraryStandIn = {
    ...{ url: '', host: '', token: 'library-secret-token', calls, leaked, images, partSize: 40 << 20 },
    put(path, tag, bytes, arch = 'amd64') {
      const id = `image-${images.length}`;
      const containerId = nodes.get(path) ?? `node-${nodes.size}`;
      nodes.set(path, containerId);
      images.push({ id, containerId, path, hash: hashOf(bytes), arch, uploaded: true, bytes });
      tags.set(`${containerId} ${arch} ${tag}`, id);
    },
  };

  const findByRef = (ref: string, arch: string | null): StoredImage | undefined => {
    const [, path = '', tag = ''] = /^(.*):([^:]+)$/.exec(ref) ?? [];
    const containerId = nodes.get(path) ?? '';
    const id = tags.get(`${containerId} ${arch ?? 'amd64'} ${tag}`);
    return images.find((one) => one.id === id || (one.path === path && one.hash === tag));
  };

  const storage = await listen((request, response) => {
    const { authorization, range } = request.headers;
    calls.push(`storage ${request.method ?? ''} ${range ?? ''}`.trim());
    if (authorization !== undefined) leaked.push(authorization);
    if (overtaken(library, `storage ${request.method ?? ''}`, request, response)) return;
    void buffer(request).then((body) => {
      const [, kind, id = '', part] = /^\/(file|part)\/([^/?]+)(?:\/(\d+))?/.exec(request.url ?? '') ?? [];
      if (request.method === 'PUT') {
        const sum = request.headers['x-amz-content-sha256'];
        if (sum !== undefined && `sha256.${String(sum)}` !== hashOf(body))
          return void response.writeHead(400).end();
        const held = uploads.get(id) ?? [];
        held[Number(part ?? 1) - 1] = body;
        uploads.set(id, held);
        return void response.writeHead(200, { etag: `"${kind ?? ''}${part ?? ''}"` }).end();
      }
      send(request, response, images.find((one) => one.id === id)?.bytes);
    });
  });

  const finish = (id: string): void => {
    const image = images.find((one) => one.id === id)!;
    image.bytes = Buffer.concat(uploads.get(id) ?? []);
    image.uploaded = hashOf(image.bytes) === image.hash;
  };

  const answer = (
    method: string,
    url: URL,
    body: Buffer,
  ): { status: number; data?: unknown; location?: string } => {
    const path = decodeURIComponent(url.pathname.slice(1));
    const arch = url.searchParams.get('arch');
    const json = () => JSON.parse(body.toString('utf8')) as Record<string, string>;
    const [, level, name = ''] =
      /^v1\/(entities|collections|containers|images|imagefile)\/?(.*)$/.exec(path) ?? [];
    const [, version, containerId = ''] = /^(v[12])\/tags\/(.*)$/.exec(path) ?? [];
    const [, id = '', step = ''] = /^v2\/imagefile\/([^/]+)\/?(.*)$/.exec(path) ?? [];
    if (path === 'version') return { status: 200, data: { version: 'stand-in', apiVersion: '2.0.0' } };
    if (path === 'v1/search') {
      const value = url.searchParams.get('value') ?? '';
      const container = [...nodes]
        .filter(([key]) => key.includes(value))
        .map(([key, node]) => ({ id: node, name: key }));
      const image = images
        .filter((one) => [null, one.arch].includes(arch) && url.searchParams.get('signed') === null)
        .map(({ id, hash, arch, bytes }) => ({ id, hash, arch, size: bytes.length }));
      return { status: 200, data: { container, image } };
    }
    if (version !== undefined && method === 'GET') {
      const byArch: Record<string, Record<string, string>> = {};
      for (const [key, id] of tags) {
        const [container, arch = '', tag = ''] = key.split(' ');
        if (container === containerId) byArch[arch] = { ...byArch[arch], [tag]: id };
      }
      return { status: 200, data: byArch };
    }
    if (version !== undefined) {
      tags.set(`${containerId} ${json()['Arch'] ?? ''} ${json()['Tag'] ?? ''}`, json()['ImageID'] ?? '');
      return { status: 200, data: {} };
    }
    if (step === '_multipart' && method === 'POST') {
      return { status: 200, data: { uploadID: `up-${id}`, partSize: library.partSize, totalParts: 2 } };
    }
    if (step === '_multipart')
      return { status: 200, data: { presignedURL: `${storage}/part/${id}/${json()['partNumber']!}` } };
    if (step === '_multipart_abort') return { status: 200, data: {} };
    if (step === '_multipart_complete' || step === '_complete') {
      finish(id);
      return { status: 200, data: { containerUrl: `/${id}`, quota: { quotaTotal: 0, quotaUsage: 0 } } };
    }
    if (id !== '') return { status: 200, data: { uploadURL: `${storage}/file/${id}` } };
    if (level === 'imagefile') {
      const image = findByRef(name, arch);
      return image === undefined
        ? { status: 404 }
        : { status: 303, location: `${storage}/file/${image.id}?signature=geheim` };
    }
    if (level === 'images' && method === 'POST') {
      const containerId = json()['container'] ?? '';
      const path = [...nodes].find(([, node]) => node === containerId)?.[0] ?? '';
      const image = {
        id: `image-${images.length}`,
        containerId,
        path,
        hash: json()['hash'] ?? '',
        arch: 'amd64',
      };
      images.push({ ...image, uploaded: false, bytes: Buffer.alloc(0) });
      return { status: 201, data: { id: image.id } };
    }
    if (level === 'images') {
      const image = findByRef(name, arch);
      if (image === undefined) return { status: 404 };
      if (method === 'DELETE') images.splice(images.indexOf(image), 1);
      const { bytes, ...data } = image;
      return { status: 200, data: { ...data, size: bytes.length } };
    }
    if (level !== undefined && method === 'POST') {
      const { name: last = '', entity, collection } = json();
      const parent = [...nodes].find(([, node]) => node === (collection ?? entity))?.[0];
      const key = parent === undefined ? last : `${parent}/${last}`;
      nodes.set(key, `node-${nodes.size}`);
      return { status: 201, data: { id: nodes.get(key) } };
    }
    if (level === 'entities' && name === 'limited')
      return { status: 200, data: { id: 'e', name, size: 1500, quota: '3000' } };
    const node = level === undefined ? undefined : nodes.get(name);
    return node === undefined ? { status: 404 } : { status: 200, data: { id: node } };
  };

  library.url = await listen((request, response) => {
    const url = new URL(request.url ?? '', 'http://host');
    const line = `${request.method ?? ''} ${decodeURIComponent(url.pathname)}`;
    calls.push(line);
    if (overtaken(library, line, request, response)) return;
    void buffer(request).then((body) => {
      const wrong = request.headers.authorization !== `Bearer ${library.token}`;
      const { status, data, location } = wrong ? { status: 401 } : answer(request.method ?? '', url, body);
      const content =
        status < 300
          ? { data }
          : { error: { code: status, message: wrong ? 'Not authorized' : 'Not found' } };
      response.writeHead(status, location === undefined ? {} : { location }).end(JSON.stringify(content));
    });
  });
  library.host = new URL(library.url).host;
  return library;
}

function overtaken(
  library: LibraryStandIn,
  line: string,
  request: IncomingMessage,
  response: ServerResponse,
): boolean {
  const { fault } = library;
  if (fault === undefined || fault.times <= 0 || !fault.match.test(line)) return false;
  fault.times -= 1;
  fault.act(request, response);
  return true;
}

function send(request: IncomingMessage, response: ServerResponse, bytes: Buffer | undefined): void {
  if (bytes === undefined) return void response.writeHead(404).end();
  const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '') ?? [];
  if (from === undefined) return void response.writeHead(200, { 'content-length': bytes.length }).end(bytes);
  const end = to ? Math.min(Number(to) + 1, bytes.length) : bytes.length;
  const range = { 'content-range': `bytes ${from}-${end - 1}/${bytes.length}` };
  const part = bytes.subarray(Number(from), end);
  response.writeHead(206, { 'content-length': part.length, ...range }).end(part);
}
