import type { HttpRequest, Attempt } from './message.ts';
import type { RetryPolicy } from './retryPolicy.ts';

/** https://www.rfc-editor.org/rfc/rfc9110#name-idempotent-methods */
const IDEMPOTENT: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']);

/** True if failed attempts of this request are repeated. */
export function isRetried({ method, retry }: HttpRequest): boolean {
  return retry ?? IDEMPOTENT.has(method);
}

/**
 * Milliseconds until the next attempt. Undefined after a success and where no attempt is left or
 * would help. `attempt` is the number of the one that has just ended, from 1.
 */
export function retryDelay(
  request: HttpRequest,
  outcome: Attempt,
  attempt: number,
  policy: RetryPolicy,
): number | undefined {
  const pause = policy.pausesMs[attempt - 1];
  if (pause === undefined) return undefined;
  if (outcome.kind === 'failure') return mayRepeatFailure(request, outcome) ? pause : undefined;
  const { status, headers } = outcome.response;
  if (!isRetried(request) && (request.retry === false || !policy.saysUndone(status))) return undefined;
  const asked = policy.heedsRetryAfter(status) ? retryAfter(headers['retry-after']) : undefined;
  if (asked !== undefined) return asked <= policy.longestRetryAfterMs ? asked : undefined;
  return policy.isTemporary(status) ? pause : undefined;
}

function mayRepeatFailure(
  request: HttpRequest,
  { temporary, sent }: { temporary: boolean; sent: boolean },
): boolean {
  return temporary && (isRetried(request) || (request.retry !== false && !sent));
}

/**
 * The pause in milliseconds that a Retry-After header asks for, as seconds or as a date.
 * https://www.rfc-editor.org/rfc/rfc9110#field.retry-after
 */
export function retryAfter(value: string | undefined, now: number = Date.now()): number | undefined {
  if (value === undefined) return undefined;
  if (/^\d+$/.test(value)) return Number(value) * 1000;
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
