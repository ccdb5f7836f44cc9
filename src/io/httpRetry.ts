import type { HttpRequest, Outcome } from './httpMessage.ts';

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
