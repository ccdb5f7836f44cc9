import type { Readable } from 'node:stream';
import type { NetworkError } from '../errors.ts';

export interface HttpRequest {
  method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  url: string;
  headers?: Record<string, string>;
  /** A function is called once an attempt, so that each gets a fresh stream. */
  body?: string | Uint8Array | (() => Readable);
  /** Bytes of a body given as a function; without it the body goes out in chunks. */
  contentLength?: number;
  /** Whether failed attempts are repeated; by default those of idempotent methods are. */
  retry?: boolean;
  /** Milliseconds without any byte sent or received until an attempt counts as failed. Default 60000. */
  timeoutMs?: number;
  signal?: AbortSignal | undefined;
  /** Default true. Credentials never follow to another scheme, host or port. */
  followRedirects?: boolean;
}

export interface HttpResponse {
  status: number;
  /** Names in lower case. */
  headers: Record<string, string>;
  /** Where the answer came from, after redirects. May hold a signed query: never show it. */
  url: string;
  /** To be read to its end or destroyed. Fails with NetworkError when the connection breaks. */
  body: Readable;
  /**
   * Reads the body in place of `body`, for less: each block is good until the next is asked for, as the network fills it
   * again then. Undefined where that can't be done, as with TLS.
   */
  blocks?: (() => AsyncGenerator<Buffer>) | undefined;
}

/** How one attempt went. */
export type Outcome = { kind: 'response'; response: HttpResponse } | Failure;

export interface Failure {
  kind: 'failure';
  error: NetworkError;
  /** False where another attempt can't help, as for a bad certificate. */
  temporary: boolean;
  /** False if the request surely never reached the server. */
  sent: boolean;
}
