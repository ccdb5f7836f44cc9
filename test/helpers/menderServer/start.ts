import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { Faults, misbehave } from './faults.ts';
import { Refused } from './multipart.ts';
import { findOperation, requestFaults, responseFaults } from './openapi.ts';
import type { Operation } from './openapi.ts';
import { createEnterpriseDeployment, handlers } from './routes.ts';
import type { Call, Reply } from './routes.ts';
import { newState } from './state.ts';
import type { Device, ServerOptions, ServerState } from './state.ts';
import { Storage } from './storage.ts';

/** A stand-in for a Mender server, on 127.0.0.1, that keeps to Mender's own API description. */
export interface MenderServer {
  url: string;
  /** A token that works. */
  token: string;
  state: ServerState;
  faults: Faults;
  storage: Storage;
  /** Every management call so far: `METHOD /path`. */
  calls: string[];
  /** What broke the API description or the notes; a test ends with an error when there is any. */
  violations: string[];
  close(): Promise<void>;
}

/** Starts a stand-in; the caller closes it. */
export async function startMenderServer(options: ServerOptions = {}, port = 0): Promise<MenderServer> {
  const state = newState(options);
  const [faults, calls, violations]: [Faults, string[], string[]] = [new Faults(), [], []];
  const storage = new Storage(state, faults, violations);
  const storageServer = createServer((request, response) => {
    storage.serve(request, response).catch(() => request.socket.destroy());
  });
  const storageUrl = await listen(storageServer, 0);
  const presign: Call['presign'] = (kind, id) => storageUrl + storage.presign(kind, id);
  const front = new Front(state, faults, calls, violations, presign);
  const server = createServer((request, response) => {
    front.serve(request, response).catch(() => request.socket.destroy());
  });
  const token = `eyJhbGciOiJSUzI1NiJ9.${randomUUID()}.signature`;
  state.tokens.add(token);
  const close = async () => {
    for (const one of [server, storageServer]) {
      one.close();
      one.closeAllConnections();
    }
    await rm(state.folder, { recursive: true, force: true });
  };
  return { url: await listen(server, port), token, state, faults, storage, calls, violations, close };
}

async function listen(server: Server, port: number): Promise<string> {
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const ENTERPRISE = 'POST /api/management/v2/deployments/deployments';

class Front {
  readonly #state: ServerState;
  readonly #faults: Faults;
  readonly #calls: string[];
  readonly #violations: string[];
  readonly #presign: Call['presign'];

  constructor(
    state: ServerState,
    faults: Faults,
    calls: string[],
    violations: string[],
    presign: Call['presign'],
  ) {
    this.#state = state;
    this.#faults = faults;
    this.#calls = calls;
    this.#violations = violations;
    this.#presign = presign;
  }

  async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://server');
    const method = request.method ?? '';
    if (url.pathname.startsWith('/api/management')) this.#calls.push(`${method} ${url.pathname}`);
    response.setHeader('X-MEN-RequestID', randomUUID());
    const refuse = (status: number, message: string) => {
      send(response, { status, json: errorBody(response, message) });
    };
    const fault = this.#faults.take(method, url.pathname);
    if (await misbehave(fault, request, response, refuse)) return;
    const operation = findOperation(method, url.pathname);
    const reply = await this.#answer(operation, url, request).catch((error: unknown) => {
      if (!(error instanceof Refused)) throw error;
      const more = error.metadata === undefined ? {} : { metadata: error.metadata };
      return { status: error.status, json: { ...errorBody(response, error.message), ...more } };
    });
    if (fault?.kind === 'cutAfter') return void request.socket.destroy();
    request.resume();
    send(response, operation === undefined ? reply : this.#checked(operation, reply));
  }

  async #answer(operation: Operation | undefined, url: URL, request: IncomingMessage): Promise<Reply> {
    const method = request.method ?? '';
    const enterprise = `${method} ${url.pathname}` === ENTERPRISE;
    const handler = enterprise
      ? createEnterpriseDeployment
      : handlers[`${method} ${operation?.template ?? ''}`];
    if (handler === undefined) throw new Refused(404, 'Resource not found');
    const device = this.#authorize(url.pathname, request);
    const type = request.headers['content-type'] ?? '';
    const body = type.startsWith('multipart/') ? undefined : await jsonBody(request);
    if (operation !== undefined && !type.startsWith('multipart/')) {
      const found = requestFaults(operation, url.searchParams, type.split(';')[0]!, body);
      this.#violations.push(...found.map((fault) => `request ${method} ${url.pathname}: ${fault}`));
      if (found.length > 0) throw new Refused(400, found.join('; '));
    }
    const { parameters = {} } = operation ?? {};
    const { headers } = request;
    const [state, query, path] = [this.#state, url.searchParams, url.pathname];
    return handler({
      state,
      parameters,
      query,
      path,
      headers,
      body,
      request,
      device,
      presign: this.#presign,
    });
  }

  /** The device that calls, if it is one. */
  #authorize(path: string, request: IncomingMessage): Device | undefined {
    if (path.endsWith('/auth/login')) return undefined;
    const token = (request.headers.authorization ?? '').replace(/^Bearer /, '');
    const device = path.startsWith('/api/devices/') ? this.#state.devices.get(token) : undefined;
    if (device === undefined && !this.#state.tokens.has(token)) throw new Refused(401, 'unauthorized');
    return device;
  }

  #checked(operation: Operation, reply: Reply): Reply {
    const type = reply.json !== undefined ? 'application/json' : (reply.type ?? '');
    // As it goes over the wire: without what is undefined.
    const body: unknown = reply.json === undefined ? reply.text : JSON.parse(JSON.stringify(reply.json));
    const found = responseFaults(operation, reply.status, type, body);
    this.#violations.push(
      ...found.map((fault) => `response ${operation.method} ${operation.template}: ${fault}`),
    );
    return reply;
  }
}

async function jsonBody(request: IncomingMessage): Promise<unknown> {
  const body = await text(request);
  if (body === '') return undefined;
  try {
    return JSON.parse(body);
  } catch {
    throw new Refused(400, 'cannot parse the body');
  }
}

function errorBody(response: ServerResponse, error: string) {
  return { error, request_id: String(response.getHeader('X-MEN-RequestID')) };
}

function send(response: ServerResponse, reply: Reply): void {
  const body = reply.json === undefined ? reply.text : JSON.stringify(reply.json);
  const type = reply.json === undefined ? reply.type : 'application/json';
  response.writeHead(reply.status, { ...(type && { 'content-type': type }), ...reply.headers });
  response.end(body);
}
