import { NetworkError, messageOf, systemCodeOf } from '../errors.ts';
import type { Failure } from './httpMessage.ts';

/** Faults that happen before the request leaves this machine. */
const NEVER_SENT: ReadonlySet<string> = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH']);

const EXPLANATIONS: Record<string, { what: string; hint?: string }> = {
  ECONNREFUSED: { what: 'connection refused', hint: 'check the host and port, and that the server runs' },
  ENOTFOUND: { what: 'host not found', hint: 'check the host name and the DNS settings' },
  EAI_AGAIN: { what: 'the name server does not answer', hint: 'check the network connection' },
  ECONNRESET: { what: 'the server closed the connection' },
  EPIPE: { what: 'the server closed the connection' },
  EHOSTUNREACH: { what: 'host not reachable', hint: 'check the network connection' },
  ENETUNREACH: { what: 'network not reachable', hint: 'check the network connection' },
  ETIMEDOUT: { what: 'the connection timed out', hint: 'check the network connection' },
};

/** A failed attempt as a NetworkError without a trace of the request's headers; it says whether to try again. */
export function networkFailure(error: unknown, what: string, timedOut: boolean): Failure {
  const code = systemCodeOf(error) ?? '';
  if (timedOut) return failure(`${what}: no byte arrived in time`, true, true);
  if (isTlsFault(code)) {
    return failure(`${what}: no trusted TLS connection (${code})`, false, false, TLS_HINT);
  }
  const known = EXPLANATIONS[code];
  const text = (known?.what ?? messageOf(error).split('\n', 1)[0] ?? '') + elsewhere(error, what);
  return failure(`${what}: ${text}`, code !== 'ENOTFOUND', !NEVER_SENT.has(code), known?.hint);
}

/** Where the connection was to go, if `what` does not say so: a proxy, or the address of a name. */
function elsewhere(error: unknown, what: string): string {
  const [, place] = /^(?:connect|getaddrinfo) [A-Z_]+ (\S+)/.exec(messageOf(error)) ?? [];
  return place === undefined || what.includes(place) ? '' : ` (${place})`;
}

const TLS_HINT =
  'add the authority to NODE_EXTRA_CA_CERTS; without TLS, write http:// before a server, and --insecure-registry HOST for a registry';

function isTlsFault(code: string): boolean {
  return /^(CERT_|ERR_TLS_|ERR_SSL_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_)|^EPROTO$/.test(code);
}

function failure(message: string, temporary: boolean, sent: boolean, hint?: string): Failure {
  const error = new NetworkError(message, hint === undefined ? {} : { hint });
  return { kind: 'failure', error, temporary, sent };
}
