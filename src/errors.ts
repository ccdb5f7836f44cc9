/**
 * The errors that a user can meet, one class per exit code. A message says what was being done to what, and what
 * was found; `hint` says what to try next. Anything else that is thrown is a bug and ends with exit code 1.
 */

/** The documented exit codes of the command line tool. */
export const EXIT = {
  ok: 0,
  bug: 1,
  usage: 2,
  notFound: 3,
  denied: 4,
  network: 5,
  integrity: 6,
  unsupported: 7,
  tool: 8,
  deployment: 9,
  interrupted: 130,
  terminated: 143,
} as const;

export interface ErrorDetails {
  /** What the user can try next, one sentence. */
  hint?: string;
  cause?: unknown;
}

/** Base of every error that a user can act on. */
export abstract class UserError extends Error {
  abstract readonly exitCode: number;
  readonly hint: string | undefined;

  constructor(message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = new.target.name;
    this.hint = details.hint;
  }
}

/** Flags, configuration, compose file, local files that can't be read or written. Exit code 2. */
export class UsageError extends UserError {
  readonly exitCode = EXIT.usage;
}

/** An image, file, git ref, group or artifact that does not exist. Exit code 3. */
export class NotFoundError extends UserError {
  readonly exitCode = EXIT.notFound;
}

/** Missing or refused credentials. Exit code 4. */
export class DeniedError extends UserError {
  readonly exitCode = EXIT.denied;
}

/** A network failure that outlived the retries, or a server's own failure. Exit code 5. */
export class NetworkError extends UserError {
  readonly exitCode = EXIT.network;
}

/** Bytes that are not what their digest, size or checksum promised. Exit code 6. */
export class IntegrityError extends UserError {
  readonly exitCode = EXIT.integrity;
}

/** Valid input that this tool, the server or a device can't handle. Exit code 7. */
export class UnsupportedError extends UserError {
  readonly exitCode = EXIT.unsupported;
}

/** An external program that is missing or failed; the message ends with its stderr. Exit code 8. */
export class ToolError extends UserError {
  readonly exitCode = EXIT.tool;
}

/** A deployment that finished with failures, was aborted, or did not finish in time. Exit code 9. */
export class DeploymentError extends UserError {
  readonly exitCode = EXIT.deployment;
}

/** SIGINT or SIGTERM arrived. Exit code 130 or 143. */
export class InterruptedError extends UserError {
  readonly exitCode: number;

  constructor(signal: 'SIGINT' | 'SIGTERM') {
    super(`interrupted by ${signal}`);
    this.exitCode = signal === 'SIGINT' ? EXIT.interrupted : EXIT.terminated;
  }
}

const NEXT_STEPS: Partial<Record<number, string>> = {
  [EXIT.notFound]: 'check the name',
  [EXIT.denied]: 'check the credentials, and what they allow',
  [EXIT.network]: 'check the connection and the server, then run it again: what is whole is kept',
  [EXIT.integrity]: 'run it again; if it stays, get or make anew what is damaged',
};

/** What the user can try next: the error's own hint, else what is of use for most errors of its kind. */
export function nextStep({ hint, exitCode }: UserError): string | undefined {
  return hint ?? NEXT_STEPS[exitCode];
}

/** A user's error as plain data. */
interface PortableError {
  exitCode: number;
  message: string;
  hint: string | undefined;
}

const CLASSES = [
  ...[UsageError, NotFoundError, DeniedError, NetworkError, IntegrityError, UnsupportedError, ToolError],
  DeploymentError,
];

/** The error in a form that another thread understands, without its cause. */
export function portableError(error: unknown): unknown {
  if (!(error instanceof UserError)) return error;
  const { exitCode, message, hint } = error;
  return { exitCode, message, hint } satisfies PortableError;
}

/** What `portableError` was given, with its class. */
export function revivedError(portable: unknown): unknown {
  if (portable instanceof Error) return portable;
  const { exitCode, message, hint } = portable as PortableError;
  const errors = CLASSES.map((Class) => new Class(message, hint === undefined ? {} : { hint }));
  return errors.find((error) => error.exitCode === exitCode);
}

/** The message of anything that can be thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The system error code (`ENOENT`, `ENOSPC`, ...) of an error, if it has one. */
export function systemCodeOf(error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : undefined;
}
