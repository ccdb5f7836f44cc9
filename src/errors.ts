/**
 * The errors that a user can act on, one class per exit code. A message says what was being done to
 * what, and what was found. `hint` says what to try next. Any other error is a bug: exit code 1.
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
  hangup: 129,
  interrupted: 130,
  quit: 131,
  terminated: 143,
} as const;

/**
 * How a command names an option of `build`: as a flag, or as a key of a file. `name` has no dashes.
 * `value`: what the option is to be set to.
 */
export interface Wording {
  option: (name: string, value?: string) => string;
  /** Names an option that is to be left out. */
  unset: (name: string) => string;
  /** Returns the environment variable of an option; undefined if the run does not read it. */
  variable: (name: string) => string | undefined;
  /** What is between two options. */
  separator: string;
}

/** What the user can try next, one sentence. A function if it names options of `build`. */
export type Hint = string | ((wording: Wording) => string);

const SHORT: Readonly<Record<string, string>> = {
  'artifact-filename': '-a',
  'device-type': '-t',
  platform: '-p',
  'service-image': '-i',
  'service-file': '-f',
};

/** The wording of `build` and of all commands that take its options. */
export const FLAGS: Wording = {
  option: (name, value) => {
    if (value === 'false') return `--no-${name}`;
    const flag = SHORT[name] ?? `--${name}`;
    return value === undefined || value === 'true' ? flag : `${flag} ${value}`;
  },
  unset: (name) => SHORT[name] ?? `--${name}`,
  variable: (name) => `MENDER_DOCKER_DELTA_${name.toUpperCase().replaceAll('-', '_')}`,
  separator: ' ',
};

export interface ErrorDetails {
  /** What the user can try next. */
  hint?: Hint;
  cause?: unknown;
}

/** Base of every error that a user can act on. */
export abstract class UserError extends Error {
  abstract readonly exitCode: number;
  /** In the wording of `build`. */
  readonly hint: string | undefined;
  readonly #hint: Hint | undefined;

  constructor(message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = new.target.name;
    this.#hint = details.hint;
    this.hint = this.hintIn(FLAGS);
  }

  /** Returns the hint in the wording of a command. */
  hintIn(wording: Wording): string | undefined {
    return typeof this.#hint === 'function' ? this.#hint(wording) : this.#hint;
  }
}

/**
 * A wrong flag, setting or Compose file, or a local file that is there and can't be read, or that
 * can't be written. Exit code 2.
 */
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

/** A network fault that the retries did not overcome, or a fault of the server. Exit code 5. */
export class NetworkError extends UserError {
  readonly exitCode = EXIT.network;
}

/** Bytes that do not match their digest, size or checksum. Exit code 6. */
export class IntegrityError extends UserError {
  readonly exitCode = EXIT.integrity;
}

/** Valid input that this tool, the server or a device does not support. Exit code 7. */
export class UnsupportedError extends UserError {
  readonly exitCode = EXIT.unsupported;
}

/** A program that is missing or fails. The message ends with its stderr. Exit code 8. */
export class ToolError extends UserError {
  readonly exitCode = EXIT.tool;
}

/** A deployment with failures, or one that was aborted or did not finish in time. Exit code 9. */
export class DeploymentError extends UserError {
  readonly exitCode = EXIT.deployment;
}

const SIGNAL_CODES = {
  SIGHUP: EXIT.hangup,
  SIGINT: EXIT.interrupted,
  SIGQUIT: EXIT.quit,
  SIGTERM: EXIT.terminated,
};

/** A signal that ends a run. */
export type EndingSignal = keyof typeof SIGNAL_CODES;
export const ENDING_SIGNALS = Object.keys(SIGNAL_CODES) as EndingSignal[];

/** A signal ended the run. The exit code is 128 plus its number, as in a shell. */
export class InterruptedError extends UserError {
  readonly exitCode: number;

  constructor(signal: EndingSignal) {
    super(`interrupted by ${signal}`);
    this.exitCode = SIGNAL_CODES[signal];
  }
}

const NEXT_STEPS: Partial<Record<number, string>> = {
  [EXIT.notFound]: 'check the name',
  [EXIT.denied]: 'check the credentials, and what they allow',
  [EXIT.network]: 'check the connection and the server, then run it again: complete downloads are kept',
  [EXIT.integrity]: 'run it again; if it fails again, replace the damaged file',
};

/**
 * What the user can try next: the hint of the error, or else what helps with most errors of its
 * class.
 */
export function nextStep({ hint, exitCode }: UserError): string | undefined {
  return hint ?? NEXT_STEPS[exitCode];
}

/** Returns the hint of an error for another one that is made of it. */
function sameHint(error: UserError): Pick<ErrorDetails, 'hint'> {
  return error.hint === undefined ? {} : { hint: (wording) => error.hintIn(wording) ?? '' };
}

/** A UserError as plain data, for `postMessage`. */
interface PortableError {
  exitCode: number;
  message: string;
  hint: string | undefined;
}

const CLASSES = new Map<number, new (message: string, details: ErrorDetails) => UserError>([
  [EXIT.usage, UsageError],
  [EXIT.notFound, NotFoundError],
  [EXIT.denied, DeniedError],
  [EXIT.network, NetworkError],
  [EXIT.integrity, IntegrityError],
  [EXIT.unsupported, UnsupportedError],
  [EXIT.tool, ToolError],
  [EXIT.deployment, DeploymentError],
]);

/** The error in a form that can be posted to another thread. A UserError loses its cause. */
export function portableError(error: unknown): unknown {
  if (!(error instanceof UserError)) return error;
  const { exitCode, message, hint } = error;
  return { exitCode, message, hint } satisfies PortableError;
}

/** The error that `portableError` was given, in its own class. */
export function revivedError(portable: unknown): unknown {
  if (!isPortable(portable)) return portable;
  const { exitCode, message, hint } = portable;
  const signal = ENDING_SIGNALS.find((name) => SIGNAL_CODES[name] === exitCode);
  if (signal !== undefined) return new InterruptedError(signal);
  const Class = CLASSES.get(exitCode);
  if (Class === undefined) return new Error(message);
  return new Class(message, hint === undefined ? {} : { hint });
}

function isPortable(value: unknown): value is PortableError {
  return !(value instanceof Error) && typeof value === 'object' && value !== null && 'exitCode' in value;
}

/**
 * Returns an error with the same exit code, another message, and the same hint if no other one is
 * given. An interruption stays as it is.
 */
export function reworded(error: UserError, message: string, hint?: Hint): UserError {
  const Class = CLASSES.get(error.exitCode);
  if (Class === undefined) return error;
  return new Class(message, { cause: error.cause, ...(hint === undefined ? sameHint(error) : { hint }) });
}

/**
 * Returns the error with a message that begins with its subject, if it is one for the user. The
 * given error stays as it is: others may wait for it, too.
 */
export function withSubject(error: unknown, subject: string): unknown {
  return error instanceof UserError ? reworded(error, `${subject}: ${error.message}`) : error;
}

/** The message of any thrown value. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The system error code (`ENOENT`, `ENOSPC`, ...) of an error, if it has one. */
export function systemCodeOf(error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : undefined;
}
