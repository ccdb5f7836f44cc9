import { UsageError } from '../errors.ts';
import { isLoopback } from '../http/redirect.ts';

/** A repository at a registry, as in `Reference`. */
export interface Repository {
  registry: string;
  repository: string;
}

const HUB_HOST = 'registry-1.docker.io';

/** The host that serves a registry's API: Docker Hub's is not called by its name. */
function apiHost(registry: string): string {
  return registry === 'docker.io' ? HUB_HOST : registry;
}

/** True where plain http is allowed: on loopback, and for the hosts in `insecure` (with their port, if they have one). */
export function allowsPlainHttp(host: string, insecure: readonly string[]): boolean {
  return insecure.includes(host) || isLoopback(new URL(`http://${host}`).hostname);
}

/**
 * `https://HOST/v2/REPOSITORY`, or http where that is allowed. Throws UsageError for a host that a reference may name but
 * no URL, as `300.0.0.1` and `host:99999`.
 */
export function repositoryUrl(registry: string, repository: string, insecure: readonly string[]): string {
  return `${baseUrl(registry, insecure)}/v2/${repository}`;
}

/** True if `url` is of the registry itself, and not of a storage host that it redirects to. */
export function isOfRegistry(url: string, registry: string, insecure: readonly string[]): boolean {
  return new URL(url).host === new URL(baseUrl(registry, insecure)).host;
}

function baseUrl(registry: string, insecure: readonly string[]): string {
  const host = apiHost(registry);
  if (URL.canParse(`http://${host}`)) {
    return `${allowsPlainHttp(host, insecure) ? 'http' : 'https'}://${host}`;
  }
  throw new UsageError(`no registry can be at the address ${registry}`, {
    hint: "check the host and the port in the image's name",
  });
}
