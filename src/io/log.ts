import { redact } from './redact.ts';

/** From the quietest to the most talkative. */
export const LOG_LEVELS = ['error', 'warning', 'info', 'debug'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Where modules say what they do. Every message is redacted before it is written. */
export interface Log {
  warning(message: string): void;
  info(message: string): void;
  debug(message: string): void;
}

/** A log that writes one line a message with `write`, down to and including `level`. */
export function createLog(level: LogLevel, write: (line: string) => void): Log {
  const allowed = LOG_LEVELS.indexOf(level);
  const at = (messageLevel: LogLevel, prefix: string) => (message: string) => {
    if (LOG_LEVELS.indexOf(messageLevel) <= allowed) write(oneLine(redact(prefix + message)));
  };
  return { warning: at('warning', 'warning: '), info: at('info', ''), debug: at('debug', 'debug: ') };
}

/** `text` on one line. What a server or a program said may also bear control characters, which a terminal would obey. */
export function oneLine(text: string): string {
  return text.replace(/\s*\p{Cc}[\p{Cc}\s]*/gu, ' ').trim();
}

/** Says nothing. */
export const silentLog: Log = createLog('error', () => undefined);
