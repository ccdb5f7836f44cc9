import type { HttpRequest } from '../http/http.ts';

export interface ApiRequest extends Pick<
  HttpRequest,
  'method' | 'body' | 'contentLength' | 'retry' | 'timeoutMs'
> {
  /** Below the host: `/api/management/...`, its variable parts percent-encoded. */
  path: string;
  query?: Query;
  headers?: Record<string, string>;
  /** Sent as the body. */
  json?: unknown;
  /** What is being done, for the error: `deleting artifact 123`. */
  doing: string;
  /** Statuses other than 2xx that the caller handles. */
  accept?: readonly number[];
}

/** Query parameters; a list repeats its name, undefined leaves it out. */
type Query = Record<string, string | number | readonly string[] | undefined>;

export interface ApiResponse {
  status: number;
  /** Names in lower case. */
  headers: Record<string, string>;
  text: string;
}
