import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Digest } from '../../src/oci/digest.ts';
import { parseReference, formatReference } from '../../src/oci/reference.ts';
import type { BuiltImage } from '../helpers/images.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

/**
 * A stand-in for a daemon: the part of the Engine API that image sources use, with either image
 * store's behaviour.
 */
export interface DaemonImage {
  image: BuiltImage;
  /** As the store reports it. */
  id: Digest;
  repoDigests?: string[];
  /** What `docker save` gives. */
  saved: Buffer;
}

export interface Daemon {
  /** For `environment`. */
  DOCKER_HOST: string;
  /** Method and path of each request. */
  requests: string[];
  /** Bytes of save streams that were handed to the connection. */
  sent(): number;
}

export interface DaemonOptions {
  containerd?: boolean;
  tcp?: boolean;
  /** Over TLS, for clients with a certificate. */
  tls?: { ca: string; cert: string; key: string };
  /** Answers in its place; true where it did. */
  intercept?: (request: IncomingMessage, response: ServerResponse) => boolean;
}

export async function startDaemon(
  images: Record<string, DaemonImage>,
  options: DaemonOptions = {},
): Promise<Daemon> {
  const requests: string[] = [];
  let sent = 0;
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    const path = request.url ?? '';
    requests.push(`${request.method ?? ''} ${path}`);
    if (options.intercept?.(request, response) === true) return;
    if (path === '/_ping') response.end('OK');
    else if (path === '/info') sendJson(response, 200, infoOf(options));
    else answerImage(images, path, response, (bytes) => (sent += bytes));
  };
  const server =
    options.tls === undefined
      ? createServer(answer)
      : createTlsServer({ ...options.tls, requestCert: true, rejectUnauthorized: true }, answer);
  const address = await listen(server, options.tcp ?? options.tls !== undefined);
  return { DOCKER_HOST: address, requests, sent: () => sent };
}

function infoOf({ containerd }: DaemonOptions): unknown {
  const status =
    containerd === true ? [['driver-type', 'io.containerd.snapshotter.v1']] : [['Backing', 'ext4']];
  return { Driver: 'overlay2', DriverStatus: status };
}

function answerImage(
  images: Record<string, DaemonImage>,
  path: string,
  response: ServerResponse,
  count: (bytes: number) => void,
): void {
  const [, name = '', action] = /^\/images\/(.+)\/(json|get)$/.exec(path) ?? [];
  const found = Object.entries(images).find(([key, { repoDigests = [] }]) => {
    const asked = formatReference(parseReference(name));
    return key === asked || repoDigests.includes(asked);
  })?.[1];
  if (found === undefined) sendJson(response, 404, { message: `No such image: ${name}` });
  else if (action === 'json') sendJson(response, 200, inspectOf(found));
  else void sendSlowly(found.saved, response, count);
}

function inspectOf({ image, id, repoDigests = [] }: DaemonImage): unknown {
  const { os, architecture, variant = '' } = image.platform;
  const layers = image.layers.map(({ diffID }) => diffID);
  return {
    Id: id,
    RepoDigests: repoDigests,
    Os: os,
    Architecture: architecture,
    Variant: variant,
    RootFS: { Type: 'layers', Layers: layers },
  };
}

/** With back pressure, so that a client that stops reading is seen to have stopped. */
async function sendSlowly(
  bytes: Buffer,
  response: ServerResponse,
  count: (bytes: number) => void,
): Promise<void> {
  for (let at = 0; at < bytes.length && !response.destroyed; at += 65_536) {
    const chunk = bytes.subarray(at, at + 65_536);
    count(chunk.length);
    if (response.write(chunk)) continue;
    await new Promise<void>((resolve) => {
      response.once('drain', resolve).once('close', resolve);
    });
  }
  response.end();
}

export function sendJson(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}

async function listen(server: Server, tcp: boolean): Promise<string> {
  const socket = join(temporaryFolder(), 'docker.sock');
  await new Promise<void>((resolve) => {
    if (tcp) server.listen(0, '127.0.0.1', resolve);
    else server.listen(socket, resolve);
  });
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return tcp ? `tcp://127.0.0.1:${(server.address() as AddressInfo).port}` : `unix://${socket}`;
}
