import type { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { Environment } from '../environment.ts';
import { httpAgent } from './blocks.ts';
import type { HttpRequest } from './message.ts';
import type { Proxy } from './proxy.ts';
import { proxyFor } from './proxy.ts';
import { tunnelAgent } from './tunnel.ts';

/** How a request reaches its server, as options of axios. */
export interface Route {
  httpAgent: HttpAgent;
  httpsAgent?: HttpsAgent;
  socketPath?: string;
  /** The proxy of a plain http request, which it sees whole. */
  proxy: Proxy | false;
  /** True if no proxy is between. */
  isDirect: boolean;
}

/** Chooses between a socket, a direct connection and a proxy of the environment. */
export function routeOf(request: HttpRequest, environment: Environment): Route {
  const { certificates, socketPath } = request;
  if (socketPath !== undefined) return { httpAgent, socketPath, proxy: false, isDirect: true };
  const direct = { httpAgent, proxy: false, isDirect: true } as const;
  if (certificates) return { ...direct, httpsAgent: new HttpsAgent(certificates) };
  const url = new URL(request.url);
  const proxy = proxyFor(url, environment);
  if (proxy === undefined) return direct;
  if (url.protocol === 'http:') return { httpAgent, proxy, isDirect: false };
  return { httpAgent, httpsAgent: tunnelAgent(proxy), proxy: false, isDirect: false };
}
