import { redact } from './redact.ts';

/** From the least to the most messages. */
export const LOG_LEVELS = ['error', 'warning', 'info', 'debug'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Messages about what the tool does. Every message is redacted before it is written. */
export interface Log {
  warning(message: string): void;
  info(message: string): void;
  debug(message: string): void;
}

/** A log that writes each message of `level` or above as one line with `write`. */
export function createLog(level: LogLevel, write: (line: string) => void): Log {
  const allowed = LOG_LEVELS.indexOf(level);
  const at = (messageLevel: LogLevel, prefix: string) => (message: string) => {
    if (LOG_LEVELS.indexOf(messageLevel) <= allowed) write(oneLine(redact(prefix + message)));
  };
  return { warning: at('warning', 'warning: '), info: at('info', ''), debug: at('debug', 'debug: ') };
}

/**
 * `text` on one line, without control characters: a terminal would obey those of a server or
 * program.
 */
export function oneLine(text: string): string {
  return text.replace(/[\s\p{Cc}]+/gu, (run) => (/\p{Cc}/u.test(run) ? ' ' : run)).trim();
}

/** Writes nothing. */
export const silentLog: Log = createLog('error', () => undefined);
