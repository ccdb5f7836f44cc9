import { printableLine } from './printable.ts';

/** From the least to the most messages. */
export const LOG_LEVELS = ['error', 'warning', 'info', 'debug'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Messages about what the tool does. Each one is redacted and escaped before it is written. */
export interface Log {
  warning(message: string): void;
  info(message: string): void;
  debug(message: string): void;
}

/** A log that writes each message of `level` or above as one line with `write`. */
export function createLog(level: LogLevel, write: (line: string) => void): Log {
  const allowed = LOG_LEVELS.indexOf(level);
  const at = (messageLevel: LogLevel, prefix: string) => (message: string) => {
    if (LOG_LEVELS.indexOf(messageLevel) <= allowed) write(printableLine(prefix + message));
  };
  return { warning: at('warning', 'warning: '), info: at('info', ''), debug: at('debug', 'debug: ') };
}

/** Writes nothing. */
export const silentLog: Log = createLog('error', () => undefined);

/** Returns the log with `label: ` before each message; the log itself without a label. */
export function labelled(log: Log, label: string | undefined): Log {
  if (label === undefined) return log;
  return {
    warning: (message) => log.warning(`${label}: ${message}`),
    info: (message) => log.info(`${label}: ${message}`),
    debug: (message) => log.debug(`${label}: ${message}`),
  };
}
