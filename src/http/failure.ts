import { messageOf, NetworkError, systemCodeOf } from '../errors.ts';
import type { Failure } from './message.ts';
import { ProxyRefusal } from './tunnel.ts';

interface Fault {
  /** What happened, after the name of the request. */
  what: string;
  hint?: string;
  /** False if another attempt can't help. */
  temporary?: false;
  /** False if the fault happens before the request leaves this machine. */
  sent?: false;
}

const CHECK_NETWORK = 'check the network connection';
const CHECK_SOCKET = 'check the path of the socket, and who may use it';

const FAULTS: Record<string, Fault> = {
  ECONNREFUSED: {
    what: 'connection refused',
    hint: 'check the host and port, and that the server runs',
    sent: false,
  },
  ENOTFOUND: {
    what: 'host not found',
    hint: 'check the host name and the DNS settings',
    temporary: false,
    sent: false,
  },
  EAI_AGAIN: { what: 'the name server does not answer', hint: CHECK_NETWORK, sent: false },
  ECONNRESET: { what: 'the server closed the connection' },
  EPIPE: { what: 'the server closed the connection' },
  EHOSTUNREACH: { what: 'host not reachable', hint: CHECK_NETWORK, sent: false },
  ENETUNREACH: { what: 'network not reachable', hint: CHECK_NETWORK },
  ETIMEDOUT: { what: 'the connection timed out', hint: CHECK_NETWORK },
  ENOENT: { what: 'no such socket', hint: CHECK_SOCKET, temporary: false, sent: false },
  EACCES: { what: 'permission denied', hint: CHECK_SOCKET, temporary: false, sent: false },
  EPERM: { what: 'permission denied', hint: CHECK_SOCKET, temporary: false, sent: false },
};

/** A failed attempt, without anything of the request's headers. `what` names the request. */
export function networkFailure(error: unknown, what: string, timedOut: boolean): Failure {
  if (timedOut) return failureOf(what, { what: 'no byte arrived in time' }, undefined);
  const refusal = error instanceof Error ? [error, error.cause].find(isRefusal) : undefined;
  if (refusal !== undefined) return failureOf(what, proxyFault(refusal), undefined);
  const code = systemCodeOf(error) ?? '';
  if (isTlsFault(code)) return failureOf(what, tlsFault(code), code);
  const fault = FAULTS[code] ?? { what: messageOf(error).split('\n', 1)[0] ?? '' };
  return failureOf(what, { ...fault, what: fault.what + placeOf(error, what) }, code);
}

function isRefusal(error: unknown): error is ProxyRefusal {
  return error instanceof ProxyRefusal;
}

const TEMPORARY_REFUSALS: ReadonlySet<number> = new Set([408, 429, 500, 502, 503, 504]);

/**
 * The request never reaches its server. A connection that the proxy closes may succeed next time.
 */
function proxyFault({ message, status }: ProxyRefusal): Fault {
  const hint = 'check HTTP_PROXY or HTTPS_PROXY with its user and password, and NO_PROXY';
  const fault: Fault = { what: message, hint, sent: false };
  const mayPass = status === undefined || TEMPORARY_REFUSALS.has(status);
  return mayPass ? fault : { ...fault, temporary: false };
}

function failureOf(what: string, fault: Fault, code: string | undefined): Failure {
  const details = { cause: code, ...(fault.hint !== undefined && { hint: fault.hint }) };
  return {
    kind: 'failure',
    error: new NetworkError(`${what}: ${fault.what}`, details),
    temporary: fault.temporary ?? true,
    sent: fault.sent ?? true,
  };
}

/** The address of the failed connection, if `what` does not name it, as with a proxy. */
function placeOf(error: unknown, what: string): string {
  const [, place] = /^(?:connect|getaddrinfo) [A-Z_]+ (\S+)/.exec(messageOf(error)) ?? [];
  return place === undefined || what.includes(place) ? '' : ` (${place})`;
}

function isTlsFault(code: string): boolean {
  return /^(CERT_|ERR_TLS_|ERR_SSL_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_)|^EPROTO$/.test(code);
}

const TLS_HINT =
  'add the authority to NODE_EXTRA_CA_CERTS; without TLS, write http:// before a server, and --insecure-registry HOST for a registry';

function tlsFault(code: string): Fault {
  return { what: `no trusted TLS connection (${code})`, hint: TLS_HINT, temporary: false, sent: false };
}
