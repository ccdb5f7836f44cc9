import { DeniedError, NetworkError, NotFoundError, UnsupportedError, UsageError } from '../errors.ts';
import type { UserError } from '../errors.ts';
import { AnswerError } from './answer.ts';
import { excerpt } from '../io/redact.ts';
import type { ApiResponse } from './apiMessage.ts';

/**
 * Maps an error response to a UserError: the action, the status, the server's message and request
 * id.
 */
export function serverFailure(doing: string, host: string, answer: ApiResponse): UserError {
  const { status } = answer;
  const message = `${doing}: ${host} answered ${status}: ${reasonOf(answer)}`;
  if (status === 401) {
    return new DeniedError(message, {
      hint: 'set MENDER_PAT to a token that works, or run mender-docker-delta login: this one is wrong or has expired',
    });
  }
  if (status === 403) {
    return new DeniedError(message, {
      hint: 'ask for a role that may do this, or use the token of a user who may',
    });
  }
  if (status === 404) return new NotFoundError(message, isOfMender(answer) ? {} : { hint: NOT_MENDER });
  if (status === 413)
    return new UnsupportedError(message, {
      hint: 'raise the limit of the server, or of a proxy before it, or delete artifacts that are no longer needed',
    });
  if (status === 405 || status === 501) return new UnsupportedError(message);
  if (status === 499) {
    return new NetworkError(message, {
      hint: 'a proxy before the server ended the request: raise its time limit for uploads',
      cause: status,
    });
  }
  if (status >= 500 || status === 408 || status === 429)
    return new NetworkError(message, { hint: 'try again later', cause: status });
  if (status < 400) return new AnswerError(message, { hint: 'check --mender-host' });
  return new UsageError(message);
}

const NOT_MENDER = 'is this the address of a Mender server? check --mender-host';

/** True for an error in the form of Mender's services. Other servers answer in other forms. */
export function isOfMender({ text }: ApiResponse): boolean {
  return errorBody(text).error !== undefined;
}

/** True if a failed request may have been carried out. 429 says that it was not. */
export function mayBeDone(error: unknown): boolean {
  return error instanceof NetworkError && error.cause !== 429;
}

const LONGEST = 500;

/** The server's own words and the id under which its log knows the request. */
export function reasonOf({ text, headers }: ApiResponse): string {
  const { error, requestId } = errorBody(text);
  const id = requestId ?? headers['x-men-requestid'];
  const words = excerpt(error ?? text, LONGEST) || 'no explanation';
  return id === undefined ? words : `${words} (request id ${id})`;
}

function errorBody(text: string): { error?: string; requestId?: string } {
  try {
    const body = JSON.parse(text) as Record<string, unknown> | null;
    const { error, request_id: id } = body ?? {};
    return {
      ...(typeof error === 'string' ? { error } : {}),
      ...(typeof id === 'string' ? { requestId: id } : {}),
    };
  } catch {
    return {};
  }
}
