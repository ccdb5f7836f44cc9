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

/**
 * A failed attempt, without anything of the request's headers. `what` names the request. `lateness`
 * says what came too late, if that is why it failed.
 */
export function networkFailure(error: unknown, what: string, lateness: string | undefined): Failure {
  if (lateness !== undefined) return failureOf(what, { what: lateness }, undefined);
  const refusal = error instanceof Error ? [error, error.cause].find(isRefusal) : undefined;
  if (refusal !== undefined) return failureOf(what, proxyFault(refusal), undefined);
  const code = systemCodeOf(error) ?? '';
  if (isTlsFault(code)) return failureOf(what, tlsFault(code, messageOf(error)), code);
  const fault = plainFault(code, what) ?? FAULTS[code] ?? { what: messageOf(error).split('\n', 1)[0] ?? '' };
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

const NO_TLS_HINT = 'without TLS, write http:// before a server, and --insecure-registry HOST for a registry';
const AUTHORITY_HINT = 'add the authority to NODE_EXTRA_CA_CERTS';

/** What is wrong with a certificate, and what helps, by the code of Node.js. */
const CERTIFICATES: Readonly<Record<string, readonly [what: string, hint: string]>> = {
  CERT_HAS_EXPIRED: [
    'its certificate has expired',
    'renew the certificate, or set the clock of this machine',
  ],
  CERT_NOT_YET_VALID: ['its certificate is not valid yet', 'set the clock of this machine'],
  ERR_TLS_CERT_ALTNAME_INVALID: [
    'its certificate is for another name',
    'name the server as its certificate does, or get a certificate for this name',
  ],
  DEPTH_ZERO_SELF_SIGNED_CERT: ['its certificate is signed by itself', AUTHORITY_HINT],
  SELF_SIGNED_CERT_IN_CHAIN: ['this machine does not know its authority', AUTHORITY_HINT],
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: ['this machine does not know its authority', AUTHORITY_HINT],
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: ['this machine does not know its authority', AUTHORITY_HINT],
};

/** The message of OpenSSL for an answer that is not TLS, as that of a server for plain http. */
const NOT_TLS = /wrong version number|packet length too long|http request/i;

function tlsFault(code: string, message: string): Fault {
  const fixed = { temporary: false, sent: false } as const;
  if (code === 'EPROTO' && NOT_TLS.test(message))
    return { what: 'the server does not speak TLS at this port', hint: NO_TLS_HINT, ...fixed };
  const [reason, help] = CERTIFICATES[code] ?? [undefined, AUTHORITY_HINT];
  const what = `no trusted TLS connection${reason === undefined ? '' : `: ${reason}`} (${code})`;
  return { what, hint: `${help}; ${NO_TLS_HINT}`, ...fixed };
}

/** A server that speaks TLS only may close a connection without it. */
function plainFault(code: string, what: string): Fault | undefined {
  if (!CLOSED.has(code) || !/^[A-Z]+ http:/.test(what)) return undefined;
  const hint = 'check the server, and write https:// in place of http:// if it speaks TLS';
  return { what: 'the server closed the connection', hint };
}

const CLOSED: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE']);
