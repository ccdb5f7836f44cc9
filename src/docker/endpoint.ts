import { UnsupportedError, UsageError } from '../errors.ts';

/** Where an Engine API is served. */
export type Endpoint = { socketPath: string } | TcpEndpoint;

interface TcpEndpoint {
  host: string;
  port: number;
  /** For TLS: the folder of `ca.pem`, `cert.pem` and `key.pem`. */
  certificates?: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

const PORTS = { http: 2375, https: 2376 };

/**
 * Where to look for a daemon, best first: `DOCKER_HOST` alone where it is set, else the usual sockets of Docker (system,
 * rootless, Desktop) and podman. Throws UnsupportedError for ssh and npipe, UsageError for a malformed address.
 * https://docs.docker.com/reference/cli/docker/#environment-variables
 */
export function endpointsOf(environment: Environment): Endpoint[] {
  const host = environment['DOCKER_HOST'];
  if (host) return [parseHost(host, environment)];
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

function parseHost(text: string, environment: Environment): Endpoint {
  const [, scheme = '', rest = ''] = /^([a-z]+):\/\/(.*)$/.exec(text) ?? [];
  if (scheme === 'unix' && rest.startsWith('/')) return { socketPath: rest };
  if (scheme === 'tcp' || scheme === 'http') return parseTcp(text, rest, environment);
  if (['ssh', 'npipe', 'https', 'fd'].includes(scheme)) {
    throw new UnsupportedError(`DOCKER_HOST ${text}: ${scheme} is not supported`, { hint: FORWARD });
  }
  throw malformed(text);
}

const FORWARD =
  'forward the socket with ssh -L /tmp/docker.sock:/var/run/docker.sock HOST and set DOCKER_HOST=unix:///tmp/docker.sock';

function parseTcp(text: string, rest: string, environment: Environment): Endpoint {
  const url = URL.canParse(`http://${rest}`) ? new URL(`http://${rest}`) : undefined;
  if (!url?.hostname || url.pathname !== '/' || url.username !== '') throw malformed(text);
  const certificates = certificatesIn(environment);
  // The parser drops the port 80, which is not the default here.
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

function malformed(text: string): UsageError {
  return new UsageError(`DOCKER_HOST ${JSON.stringify(text)} is no address of a daemon`, {
    hint: 'write it like unix:///var/run/docker.sock or tcp://localhost:2375, or unset it',
  });
}

/** The address as DOCKER_HOST has it. */
export function formatEndpoint(endpoint: Endpoint): string {
  return 'socketPath' in endpoint
    ? `unix://${endpoint.socketPath}`
    : `tcp://${endpoint.host}:${endpoint.port}`;
}
