import { join } from 'node:path';
import { DeniedError, NetworkError, messageOf } from '../errors.ts';
import type { Certificates, HttpResponse } from '../http/message.ts';
import type { Http } from '../http/http.ts';
import { readUserFile } from '../io/readUserFile.ts';
import type { Endpoint } from './endpoint.ts';
import { formatEndpoint } from './endpoint.ts';

/** A GET of the Engine API. https://docs.docker.com/reference/api/engine/ */
export interface EngineRequest {
  /** With the query. */
  path: string;
  /** Milliseconds without any byte until it fails. */
  idleMs: number;
  signal?: AbortSignal | undefined;
}

/** Nobody listens at an endpoint. */
export class Unreachable extends NetworkError {}

/** Nobody listens at the usual sockets, and the user named no other. */
export class NoUsualDaemon extends Unreachable {}

/**
 * Sends a request to the daemon at an endpoint, once. Throws Unreachable if nobody listens,
 * DeniedError without permission for the socket, NetworkError if the connection breaks, and the
 * signal's reason when it fires. Reading the body of the response throws NetworkError and the
 * signal's reason as well.
 */
export async function requestEngine(
  http: Http,
  endpoint: Endpoint,
  { path, idleMs, signal }: EngineRequest,
): Promise<HttpResponse> {
  try {
    return await http.request({
      method: 'GET',
      ...(await addressOf(endpoint, path)),
      timeoutMs: idleMs,
      retry: false,
      signal,
    });
  } catch (error) {
    throw connectionError(error, endpoint);
  }
}

async function addressOf(
  endpoint: Endpoint,
  path: string,
): Promise<{ url: string; socketPath?: string; certificates?: Certificates }> {
  if ('socketPath' in endpoint) return { url: `http://docker${path}`, socketPath: endpoint.socketPath };
  const { host, port, certificates } = endpoint;
  const place = `${host.includes(':') ? `[${host}]` : host}:${port}${path}`;
  if (certificates === undefined) return { url: `http://${place}` };
  return { url: `https://${place}`, certificates: await readCertificates(certificates) };
}

/** Reads what Docker's own client reads from DOCKER_CERT_PATH. Both sides prove who they are. */
async function readCertificates(folder: string): Promise<Certificates> {
  const read = (name: string): Promise<Buffer> => {
    const path = join(folder, name);
    return readUserFile(path, { doing: `reading ${path} for DOCKER_TLS_VERIFY` });
  };
  // One after the other: of several missing files, the error names the same one each time.
  return { ca: await read('ca.pem'), cert: await read('cert.pem'), key: await read('key.pem') };
}

const NOT_ALLOWED = ['EACCES', 'EPERM'];
const NOBODY = ['ENOENT', 'ECONNREFUSED', 'ENOTFOUND', 'ENOTSOCK', 'EHOSTUNREACH'];

/** Returns a failure of the HTTP client in the daemon's words, and any other error as it is. */
export function connectionError(error: unknown, endpoint: Endpoint): unknown {
  if (!(error instanceof NetworkError) || error instanceof Unreachable) return error;
  const where = `the daemon at ${formatEndpoint(endpoint)}`;
  const code = typeof error.cause === 'string' ? error.cause : '';
  if (NOT_ALLOWED.includes(code)) {
    return new DeniedError(`${where}: permission denied for the socket`, {
      hint: 'add your user to the group docker, or set DOCKER_HOST to a socket that you may use',
    });
  }
  const reason = messageOf(error).replace(/^GET \S+: /, '');
  if (NOBODY.includes(code)) {
    return new Unreachable(`${where}: not reachable (${reason})`, {
      hint: 'start the daemon, or set DOCKER_HOST to where it listens',
    });
  }
  return new NetworkError(`${where}: the connection broke (${reason})`, {
    hint: 'check the daemon with docker info, and try again',
  });
}
