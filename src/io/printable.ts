import { redact } from './redact.ts';

/** Control characters and marks of writing direction, but not tabs and line ends. */
const CONTROLS = /(?![\t\n])[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu;
/** Lines that GitHub's runner obeys, however far they are indented. */
const COMMAND_LINES = /^([^\S\n]*)(?=::)/gm;
/** Commands that the runners of GitHub, Azure and TeamCity obey anywhere in a line. */
const COMMANDS = /##(?=\w*\[)/g;

/**
 * `text` for stdout: redacted, and without anything that a terminal or a CI system would obey, as
 * artifacts, servers and devices supply parts of it. Control characters become escapes as in JSON.
 */
export function printable(text: string): string {
  return harmless(redact(text).replaceAll('\r\n', '\n'));
}

/** The same for stderr: `text` on one line. */
export function printableLine(text: string): string {
  return harmless(oneLine(redact(text)));
}

/**
 * `text` on one line. Line ends, and control characters with the spaces around them, become a
 * space.
 */
export function oneLine(text: string): string {
  return text.replace(/[\s\p{Cc}]+/gu, (run) => (/\p{Cc}/u.test(run) ? ' ' : run)).trim();
}

/**
 * `value` as JSON for stdout. Only texts are redacted, so that a password like `null` leaves the
 * document valid.
 */
export function printableJson(value: unknown): string {
  const redacted = (_name: string, part: unknown): unknown =>
    typeof part === 'string' ? redact(part) : part;
  const text = JSON.stringify(value, redacted, 2).replace(CONTROLS, escaped);
  return text.replace(COMMANDS, '\\u0023#');
}

function harmless(text: string): string {
  return text.replace(CONTROLS, escaped).replace(COMMAND_LINES, '$1\\').replace(COMMANDS, '#\\#');
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
