import type { IncomingMessage } from 'node:http';
import { readFile } from 'node:fs/promises';
import { get } from 'node:http';
import { get as getWithTls } from 'node:https';
import { join } from 'node:path';
import type { SecureContextOptions } from 'node:tls';
import { DeniedError, NetworkError, UserError, messageOf, systemCodeOf } from '../errors.ts';
import { fileError } from '../io/files.ts';
import type { Endpoint } from './endpoint.ts';
import { formatEndpoint } from './endpoint.ts';

/** A GET of the Engine API. https://docs.docker.com/reference/api/engine/ */
export interface EngineRequest {
  /** With the query. */
  path: string;
  /** Milliseconds without any byte before it fails. */
  idleMs: number;
  signal?: AbortSignal | undefined;
}

export interface EngineAnswer {
  status: number;
  body: AsyncIterable<Buffer>;
}

/** Nobody listens at an endpoint. */
export class Unreachable extends NetworkError {}

const LARGEST_JSON = 16 << 20;

/**
 * Asks the daemon at the endpoint. Throws Unreachable where nobody listens, DeniedError without permission for the socket,
 * NetworkError when the connection breaks, and the signal's reason when it fires; the body throws the latter two.
 */
export async function ask(endpoint: Endpoint, request: EngineRequest): Promise<EngineAnswer> {
  const where = `the daemon at ${formatEndpoint(endpoint)}`;
  try {
    const message = await begin(endpoint, await certificatesOf(endpoint), request, where);
    return { status: message.statusCode ?? 0, body: bodyOf(message, request, where) };
  } catch (error) {
    throw connectionError(error, request, where);
  }
}

/** What Docker's own client reads from DOCKER_CERT_PATH: both sides prove who they are. */
async function certificatesOf(endpoint: Endpoint): Promise<SecureContextOptions | undefined> {
  if (!('certificates' in endpoint)) return undefined;
  const folder = endpoint.certificates;
  const read = async (name: string): Promise<Buffer> => {
    try {
      return await readFile(join(folder, name));
    } catch (error) {
      throw fileError(error, `reading ${join(folder, name)} for DOCKER_TLS_VERIFY`);
    }
  };
  // One after the other: of several that are missing, the same one is named each time.
  return { ca: await read('ca.pem'), cert: await read('cert.pem'), key: await read('key.pem') };
}

function begin(
  endpoint: Endpoint,
  certificates: SecureContextOptions | undefined,
  request: EngineRequest,
  where: string,
): Promise<IncomingMessage> {
  const { path, idleMs, signal } = request;
  return new Promise((resolve, reject) => {
    const address = { ...endpoint, path, agent: false };
    const options = signal === undefined ? address : { ...address, signal };
    const sent =
      certificates === undefined
        ? get(options, resolve)
        : getWithTls({ ...options, ...certificates }, resolve);
    sent.on('error', reject);
    sent.setTimeout(idleMs, () => {
      sent.destroy(new NetworkError(`${where}: no answer within ${idleMs / 1000} s`, { hint: RESTART }));
    });
  });
}

const RESTART = 'check the daemon with docker info, and try again';

async function* bodyOf(
  message: IncomingMessage,
  request: EngineRequest,
  where: string,
): AsyncGenerator<Buffer> {
  try {
    for await (const chunk of message) yield chunk as Buffer;
  } catch (error) {
    throw connectionError(error, request, where);
  } finally {
    message.destroy();
  }
}

function connectionError(error: unknown, { signal }: EngineRequest, where: string): unknown {
  if (signal?.aborted === true) return signal.reason;
  if (error instanceof UserError) return error;
  const code = systemCodeOf(error) ?? '';
  if (code === 'EACCES' || code === 'EPERM') {
    return new DeniedError(`${where}: permission denied for the socket`, {
      hint: 'add your user to the group docker, or set DOCKER_HOST to a socket that you may use',
    });
  }
  const isNobody = ['ENOENT', 'ECONNREFUSED', 'ENOTFOUND', 'ENOTSOCK', 'EHOSTUNREACH'].includes(code);
  const kind = isNobody ? Unreachable : NetworkError;
  return new kind(`${where}: ${isNobody ? 'not reachable' : 'the connection broke'} (${messageOf(error)})`, {
    hint: isNobody ? 'start the daemon, or set DOCKER_HOST to where it listens' : RESTART,
  });
}

/** The answer's JSON document, at most 16 MiB; throws NetworkError for anything else. */
export async function jsonOf(answer: EngineAnswer, what: string): Promise<unknown> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of answer.body) {
    size += chunk.length;
    if (size > LARGEST_JSON) throw new NetworkError(`${what}: the daemon's answer is too long`);
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8')) as unknown;
  } catch (error) {
    throw new NetworkError(`${what}: the daemon's answer is not valid JSON`, { cause: error });
  }
}
