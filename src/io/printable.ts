import { redact } from './redact.ts';

/** Control characters and marks of writing direction, but not tabs and line ends. */
const CONTROLS = /(?![\t\n])[\p{Cc}\u2028-\u202e\u2066-\u2069]/gu;
/** Lines that GitHub's and Azure's runners obey, however far they are indented. */
const COMMANDS = /^([^\S\n]*)(?=::|##\[)/gm;

/**
 * `text` for stdout: redacted, and without anything that a terminal or a CI system would obey, as
 * artifacts, servers and devices supply parts of it. Control characters become escapes as in JSON.
 */
export function printable(text: string): string {
  return redact(text).replaceAll('\r\n', '\n').replace(CONTROLS, escaped).replace(COMMANDS, '$1\\');
}

/**
 * `value` as JSON for stdout. Only texts are redacted, so that a password like `null` leaves the
 * document valid.
 */
export function printableJson(value: unknown): string {
  const redacted = (_name: string, part: unknown): unknown =>
    typeof part === 'string' ? redact(part) : part;
  return JSON.stringify(value, redacted, 2).replace(CONTROLS, escaped);
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
