import type { Readable } from 'node:stream';
import type { NetworkError } from '../errors.ts';
import type { RetryPolicy } from './retryPolicy.ts';

export interface HttpRequest {
  method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  url: string;
  headers?: Record<string, string>;
  /** A function is called once per attempt, so that each attempt gets a fresh stream. */
  body?: string | Uint8Array | (() => Readable);
  /** Bytes of a body that is given as a function. Without it the body is sent in chunks. */
  contentLength?: number;
  /** Whether failed attempts are repeated. By default those of idempotent methods are. */
  retry?: boolean;
  /** Changes to the client's policy, for servers with rules of their own. */
  retries?: Partial<RetryPolicy>;
  /** Milliseconds without any byte sent or received until an attempt fails. Default 60000. */
  timeoutMs?: number;
  /**
   * The same for the first byte of the response, for servers that prepare it. Default `timeoutMs`.
   */
  firstByteMs?: number;
  signal?: AbortSignal | undefined;
  /** Default true. Credentials never follow to another scheme, host or port. */
  followRedirects?: boolean;
  /**
   * The host that supplied the URL, as in a redirect or a link. Then the URL may lead to this
   * machine only if its giver is this machine as well.
   */
  givenBy?: string;
  /** Hosts, with their ports, that a redirect may lead to from https over plain http. */
  plainHosts?: readonly string[];
  /** Path of a Unix socket to connect to. The URL's host is then only a name. */
  socketPath?: string;
  /** Certificates for TLS with a server that wants to know its client. */
  certificates?: Certificates;
}

/** PEM files, as Docker reads them from DOCKER_CERT_PATH and certs.d. */
export interface Certificates {
  /** The authorities that may have signed the server's certificate. They replace the usual ones. */
  ca: Buffer | (string | Buffer)[];
  /** The client's own certificate, if the server asks for one. */
  cert?: Buffer;
  /** The key of `cert`. */
  key?: Buffer;
}

export interface HttpResponse {
  status: number;
  /** Names in lower case. */
  headers: Record<string, string>;
  /** Where the response came from, after redirects. May contain a signed query: never show it. */
  url: string;
  /** Read it to its end or destroy it. Fails with NetworkError when the connection breaks. */
  body: Readable;
  /**
   * Reads the body in place of `body` with less work. The network fills each block again, so a
   * block is valid until the next one is requested. Undefined if this is not possible, as with
   * TLS.
   */
  blocks?: (() => AsyncGenerator<Buffer>) | undefined;
}

/** The result of one attempt. */
export type Attempt = { kind: 'response'; response: HttpResponse } | Failure;

export interface Failure {
  kind: 'failure';
  /** Its cause is the code of the fault, as `ECONNREFUSED`, or undefined after a time-out. */
  error: NetworkError;
  /** False if another attempt can't help, as with a bad certificate. */
  temporary: boolean;
  /** False if the request certainly never reached the server. */
  sent: boolean;
}
