import { isLoopback } from '../io/httpRedirect.ts';

/** A repository at a registry, as in `Reference`. */
export interface Repository {
  registry: string;
  repository: string;
}

const HUB_HOST = 'registry-1.docker.io';

/** The host that serves a registry's API: Docker Hub's is not called by its name. */
export function apiHost(registry: string): string {
  return registry === 'docker.io' ? HUB_HOST : registry;
}

/** True where plain http is allowed: on loopback, and for the hosts in `insecure` (with their port, if they have one). */
export function allowsPlainHttp(host: string, insecure: readonly string[]): boolean {
  return insecure.includes(host) || isLoopback(new URL(`http://${host}`).hostname);
}

/** `https://HOST/v2/REPOSITORY`, or http where that is allowed. */
export function repositoryUrl(registry: string, repository: string, insecure: readonly string[]): string {
  const host = apiHost(registry);
  return `${allowsPlainHttp(host, insecure) ? 'http' : 'https'}://${host}/v2/${repository}`;
}
