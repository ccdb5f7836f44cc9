import { messageOf, NetworkError, systemCodeOf } from '../errors.ts';
import type { Failure, HttpRequest, Outcome } from './message.ts';

/** Methods whose repetition changes nothing. https://www.rfc-editor.org/rfc/rfc9110#name-idempotent-methods */
const IDEMPOTENT: ReadonlySet<string> = new Set(['GET', 'HEAD', 'PUT', 'DELETE']);
/** Statuses that may be gone at the next attempt. */
const TEMPORARY: ReadonlySet<number> = new Set([408, 429, 500, 502, 503, 504]);
/** A server that asks for a longer pause (as Docker Hub's hours) is not waited for. */
const LONGEST_PAUSE_MS = 60_000;
const LONGEST_BACKOFF_MS = 15_000;

/** True for an answer that a later attempt may replace. */
export function isTemporary(status: number): boolean {
  return TEMPORARY.has(status);
}

/** True if failed attempts of this request are repeated. */
export function isRetried({ method, retry }: HttpRequest): boolean {
  return retry ?? IDEMPOTENT.has(method);
}

/** Milliseconds until the next attempt, or undefined where there is to be none: success, or no more hope. */
export function retryDelay(
  request: HttpRequest,
  outcome: Outcome,
  attempt: number,
  { attempts, backoffMs }: { attempts: number; backoffMs: number },
): number | undefined {
  if (attempt >= attempts || !mayRepeat(request, outcome)) return undefined;
  const asked = outcome.kind === 'response' ? retryAfter(outcome.response.headers['retry-after']) : undefined;
  if (asked !== undefined) return asked <= LONGEST_PAUSE_MS ? asked : undefined;
  return Math.min(backoffMs * 2 ** (attempt - 1), LONGEST_BACKOFF_MS);
}

function mayRepeat(request: HttpRequest, outcome: Outcome): boolean {
  if (outcome.kind === 'failure') {
    return outcome.temporary && (isRetried(request) || (request.retry !== false && !outcome.sent));
  }
  const { status } = outcome.response;
  // 429 says that the request was not carried out, so even a POST may be repeated.
  return isTemporary(status) && (isRetried(request) || (status === 429 && request.retry !== false));
}

/** The pause in milliseconds that a Retry-After header asks for. https://www.rfc-editor.org/rfc/rfc9110#field.retry-after */
export function retryAfter(value: string | undefined, now: number = Date.now()): number | undefined {
  if (value === undefined) return undefined;
  if (/^\d+$/.test(value)) return Number(value) * 1000;
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}

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
