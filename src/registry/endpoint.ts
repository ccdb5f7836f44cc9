import { UsageError } from '../errors.ts';
import { isLoopback } from '../http/redirect.ts';
import { speaksTls } from './tlsProbe.ts';

/** A repository at a registry, as in `Reference`. */
export interface ImageRepository {
  registry: string;
  repository: string;
}

/** Returns the name of a repository for messages, `HOST/REPO`. Pure. */
export function repositoryName({ registry, repository }: ImageRepository): string {
  return `${registry}/${repository}`;
}

/** Returns scheme and host of a registry's API. */
export type FindOrigin = (registry: string) => Promise<string>;

const HUB_HOST = 'registry-1.docker.io';

/** Docker Hub's API is not at the host that names it. */
function apiHost(registry: string): string {
  return registry === 'docker.io' ? HUB_HOST : registry;
}

/**
 * True if plain http is allowed: on loopback, and for the hosts in `insecure`, written with their
 * port if they have one.
 */
export function allowsPlainHttp(host: string, insecure: readonly string[]): boolean {
  return insecure.includes(host) || isLoopback(new URL(`http://${host}`).hostname);
}

/**
 * Returns `https://HOST`, or `http://HOST` if plain http is allowed. Throws UsageError for a host
 * that is valid in a reference and not in a URL, such as `300.0.0.1` and `host:99999`.
 */
export function registryOrigin(registry: string, insecure: readonly string[]): string {
  const host = apiHost(registry);
  if (URL.canParse(`http://${host}`)) {
    return `${allowsPlainHttp(host, insecure) ? 'http' : 'https'}://${host}`;
  }
  throw new UsageError(`no registry can be at the address ${registry}`, {
    hint: "check the host and the port in the image's name",
  });
}

/**
 * True if `url` is at the registry itself, and not at a storage host that the registry redirects
 * to.
 */
export function isAtOrigin(url: string, origin: string): boolean {
  return new URL(url).host === new URL(origin).host;
}

/**
 * Returns a function that finds the origin of a registry, once per registry. A registry on this
 * machine may use TLS or not, unless it is in `insecure`: its port tells.
 */
export function originFinder(insecure: readonly string[]): FindOrigin {
  const origins = new Map<string, Promise<string>>();
  const find = async (registry: string): Promise<string> => {
    const origin = registryOrigin(registry, insecure);
    if (origin.startsWith('https:') || insecure.includes(registry)) return origin;
    const url = new URL(origin);
    return (await speaksTls(url)) ? `https://${url.host}` : origin;
  };
  return (registry) => {
    const origin = origins.get(registry) ?? find(registry);
    origins.set(registry, origin);
    return origin;
  };
}
