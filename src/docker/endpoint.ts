import type { Environment } from '../environment.ts';
import { UnsupportedError, UsageError } from '../errors.ts';
import { hideCredentials } from '../io/redact.ts';

/** Where an Engine API is served. */
export type Endpoint = { socketPath: string } | TcpEndpoint;

interface TcpEndpoint {
  host: string;
  port: number;
  /** For TLS: the folder of `ca.pem`, `cert.pem` and `key.pem`. */
  certificates?: string;
}

const PORTS = { http: 2375, https: 2376 };

/**
 * Returns the usual sockets of Docker (system, rootless, Desktop) and podman, in the order in which
 * they are tried.
 */
export function usualEndpoints(environment: Environment): Endpoint[] {
  const runtime = environment['XDG_RUNTIME_DIR'];
  const home = environment['HOME'];
  return [
    '/var/run/docker.sock',
    ...(runtime ? [`${runtime}/docker.sock`] : []),
    ...(home ? [`${home}/.docker/desktop/docker.sock`] : []),
    '/run/podman/podman.sock',
    ...(runtime ? [`${runtime}/podman/podman.sock`] : []),
  ].map((socketPath) => ({ socketPath }));
}

/**
 * Returns the endpoint in DOCKER_HOST, or undefined if it is not set. Throws as `parseHost`.
 * https://docs.docker.com/reference/cli/docker/#environment-variables
 */
export function endpointIn(environment: Environment): Endpoint | undefined {
  const host = environment['DOCKER_HOST'];
  return host ? parseDaemonAddress(host, 'DOCKER_HOST', certificatesIn(environment)) : undefined;
}

/**
 * Parses an address of a daemon; `origin` says where it is from. `certificates` is the folder for
 * TLS. Throws UnsupportedError for ssh and npipe, and UsageError for a malformed address.
 */
export function parseDaemonAddress(text: string, origin: string, certificates: string | undefined): Endpoint {
  const [, scheme = '', rest = ''] = /^([a-z]+):\/\/(.*)$/.exec(text) ?? [];
  if (scheme === 'unix' && rest.startsWith('/')) return { socketPath: rest };
  if (scheme === 'tcp' || scheme === 'http') return parseTcp(text, rest, origin, certificates);
  if (['ssh', 'npipe', 'https', 'fd'].includes(scheme)) {
    throw new UnsupportedError(`${origin} ${hideCredentials(text)}: ${scheme} is not supported`, {
      hint: FORWARD,
    });
  }
  throw malformed(text, origin);
}

const FORWARD =
  'forward the socket with ssh -L /tmp/docker.sock:/var/run/docker.sock HOST and set DOCKER_HOST=unix:///tmp/docker.sock';

function parseTcp(text: string, rest: string, origin: string, certificates: string | undefined): Endpoint {
  const url = URL.canParse(`http://${rest}`) ? new URL(`http://${rest}`) : undefined;
  if (!url?.hostname || url.pathname !== '/' || url.username !== '') throw malformed(text, origin);
  // The parser drops port 80, which is not the default here.
  const written = url.port || (/:80\/?$/.test(rest) ? '80' : '');
  return {
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: written === '' ? PORTS[certificates === undefined ? 'http' : 'https'] : Number(written),
    ...(certificates === undefined ? {} : { certificates }),
  };
}

/** https://docs.docker.com/engine/security/protect-access/#secure-by-default */
function certificatesIn(environment: Environment): string | undefined {
  if (!environment['DOCKER_TLS_VERIFY']) return undefined;
  return environment['DOCKER_CERT_PATH'] || `${environment['HOME'] ?? ''}/.docker`;
}

function malformed(text: string, origin: string): UsageError {
  return new UsageError(`${origin} ${JSON.stringify(hideCredentials(text))} is not the address of a daemon`, {
    hint: 'write it like unix:///var/run/docker.sock or tcp://localhost:2375',
  });
}

/** Formats an address as in DOCKER_HOST. */
export function formatEndpoint(endpoint: Endpoint): string {
  return 'socketPath' in endpoint
    ? `unix://${endpoint.socketPath}`
    : `tcp://${endpoint.host}:${endpoint.port}`;
}
