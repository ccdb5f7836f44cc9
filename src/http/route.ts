import type { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { httpAgent } from './blocks.ts';
import type { HttpRequest } from './message.ts';
import type { Environment, Proxy } from './proxy.ts';
import { proxyFor } from './proxy.ts';
import { tunnelAgent } from './tunnel.ts';

/** How a request reaches its server, as options of axios. */
export interface Route {
  httpAgent: HttpAgent;
  httpsAgent?: HttpsAgent;
  socketPath?: string;
  /** The proxy of a plain http request, which it sees whole. */
  proxy: Proxy | false;
}

/** Chooses between a socket, a direct connection and a proxy of the environment. */
export function routeOf(request: HttpRequest, environment: Environment): Route {
  const { certificates, socketPath } = request;
  if (socketPath !== undefined) return { httpAgent, socketPath, proxy: false };
  if (certificates) return { httpAgent, httpsAgent: new HttpsAgent(certificates), proxy: false };
  const url = new URL(request.url);
  const proxy = proxyFor(url, environment);
  if (proxy === undefined) return { httpAgent, proxy: false };
  if (url.protocol === 'http:') return { httpAgent, proxy };
  return { httpAgent, httpsAgent: tunnelAgent(proxy), proxy: false };
}
