import type { ClientRequest, IncomingMessage, RequestOptions } from 'node:http';
import { request as requestHttp } from 'node:http';
import { Agent, globalAgent, request as requestHttps } from 'node:https';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { ConnectionOptions } from 'node:tls';
import { connect } from 'node:tls';
import { excerpt } from '../io/redact.ts';
import type { Proxy } from './proxy.ts';
import { authorizationOf, proxyName } from './proxy.ts';

/** A proxy does not connect to a host. The status is undefined if it closes the connection. */
export class ProxyRefusal extends Error {
  readonly status: number | undefined;

  constructor(message: string, status?: number) {
    super(message);
    this.status = status;
  }
}

const LONGEST_EXCERPT = 200;
/** Milliseconds that a proxy may take to connect. */
const TIMEOUT_MS = 60_000;

type Done = (error: Error | null, socket?: Socket) => void;
/** Node calls it with an error or with a socket. */
type Callback = (error: Error | null, socket: Duplex) => void;

const agents = new Map<string, TunnelAgent>();

/**
 * The agent for TLS connections through `proxy`. It keeps its connections open, as Node's own agent
 * does.
 */
export function tunnelAgent(proxy: Proxy): Agent {
  const key = JSON.stringify(proxy);
  const agent = agents.get(key) ?? new TunnelAgent(proxy);
  agents.set(key, agent);
  return agent;
}

/** Closes the connections of all tunnels. */
export function closeTunnels(): void {
  for (const agent of agents.values()) agent.destroy();
}

/** https://www.rfc-editor.org/rfc/rfc9110#CONNECT */
class TunnelAgent extends Agent {
  readonly #proxy: Proxy;
  readonly #opening = new Set<ClientRequest>();

  constructor(proxy: Proxy) {
    super({ keepAlive: true, scheduling: 'lifo', timeout: 5000 });
    this.#proxy = proxy;
  }

  override createConnection(options: RequestOptions, done?: Callback): undefined {
    const host = options.host ?? '';
    const target = `${host.includes(':') ? `[${host}]` : host}:${options.port ?? 443}`;
    const request = openTunnel(this.#proxy, target, (error, socket) => {
      this.#opening.delete(request);
      // The options of direct connections hold for the server behind the proxy.
      const tls = { ...globalAgent.options, servername: host, ...options, socket } as ConnectionOptions;
      done?.(error, error === null ? connect(tls) : (undefined as never));
    });
    this.#opening.add(request);
  }

  override destroy(): void {
    for (const request of this.#opening) request.destroy();
    super.destroy();
  }
}

function openTunnel(proxy: Proxy, target: string, done: Done): ClientRequest {
  const { protocol, host, port } = proxy;
  const authorization = authorizationOf(proxy);
  const options: RequestOptions = {
    method: 'CONNECT',
    ...{ host, port, path: target, agent: false, timeout: TIMEOUT_MS },
    headers: { host: target, ...(authorization && { 'proxy-authorization': authorization }) },
  };
  const request = protocol === 'https:' ? requestHttps(options) : requestHttp(options);
  request.once('connect', (response, socket, head) => {
    if (response.statusCode === 200) {
      done(null, socket.setTimeout(0));
    } else {
      socket.destroy();
      done(refusal(proxy, target, response, head));
    }
  });
  request.once('timeout', () => request.destroy(new ProxyRefusal(`${to(proxy, target)} in time`)));
  request.once('error', (error) => done(isHangUp(error) ? closed(proxy, target) : error));
  request.end();
  return request;
}

function to(proxy: Proxy, target: string): string {
  return `the proxy ${proxyName(proxy)} did not connect to ${target}`;
}

function isHangUp(error: Error): boolean {
  return 'code' in error && error.code === 'ECONNRESET';
}

function closed(proxy: Proxy, target: string): ProxyRefusal {
  return new ProxyRefusal(`${to(proxy, target)} and closed the connection`);
}

function refusal(proxy: Proxy, target: string, response: IncomingMessage, head: Buffer): ProxyRefusal {
  const { statusCode: status = 0, statusMessage = '' } = response;
  const words =
    [head.toString('utf8'), statusMessage].map((text) => excerpt(text, LONGEST_EXCERPT)).find(Boolean) ?? '';
  const reason = words === '' ? String(status) : `${status}: ${words}`;
  return new ProxyRefusal(
    `the proxy ${proxyName(proxy)} refused to connect to ${target} (${reason})`,
    status,
  );
}
