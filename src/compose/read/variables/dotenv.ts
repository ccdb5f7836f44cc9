import { UsageError } from '../../../errors.ts';
import type { Lookup } from './template.ts';
import { TemplateError, interpolate } from './template.ts';

const KEY = /[^\S\n]*(?:export[^\S\n]+)?([\p{L}\p{N}_.[\]-]+)[^\S\n]*(?:([=:])[^\S\n]*|(?=\n|$))/uy;
const BLANK = /(?:\s|#[^\n]*)*/y;
const ESCAPE = /\\(?:([abfnrtv"\\$])|0([0-3][0-7]{2}))/g;
const ESCAPES: Record<string, string> = {
  ...{ a: '\x07', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' },
  ...{ '"': '"', '\\': '\\', $: '$$' },
};
/** Characters of all values together. Real files have some kilobytes. */
const MOST_CHARACTERS = 8 << 20;

/** A value as it is written, and where it ends. */
interface Raw {
  text: string | undefined;
  /** True if its variables are not filled in. */
  isLiteral: boolean;
  end: number;
}

/** A file that is being parsed. */
interface Reading {
  text: string;
  /** The name of the file. */
  where: string;
  lookup: Lookup;
  variables: Map<string, string>;
}

/**
 * Parses an env file into its variables, in order. Unquoted and double-quoted values are
 * interpolated from `lookup`, then from the lines above. A name without `=` takes its value from
 * `lookup`. Throws UsageError for an invalid line and for values of more than 8 MiB; `where` names
 * the file in it.
 * https://github.com/compose-spec/compose-spec/blob/main/05-services.md#env_file-format
 */
export function parseDotenv(source: string, where: string, lookup: Lookup): Map<string, string> {
  const text = source.replace(/^\uFEFF/, '');
  const reading: Reading = { text, where, lookup, variables: new Map() };
  let length = 0;
  let at = skipBlank(text, 0);
  while (at < text.length) {
    const key = matchAt(KEY, text, at);
    if (key?.[1] === undefined) throw unreadable(reading, at, 'expected NAME=VALUE');
    const value = valueAfter(key, at, reading);
    const expanded = expand(value, at, reading);
    if (expanded !== undefined) reading.variables.set(key[1], expanded);
    length += expanded?.length ?? 0;
    if (length > MOST_CHARACTERS) throw unreadable(reading, at, 'the values are too long');
    at = skipBlank(text, value.end);
  }
  return reading.variables;
}

function valueAfter(key: RegExpExecArray, at: number, reading: Reading): Raw {
  const start = at + key[0].length;
  if (key[2] === undefined) return { text: reading.lookup(key[1] ?? ''), isLiteral: true, end: start };
  const quote = reading.text[start];
  return quote === '"' || quote === "'" ? quotedAt(start, quote, reading) : bareAt(start, reading.text);
}

/** What follows the closing quote is the next line. */
function quotedAt(start: number, quote: '"' | "'", reading: Reading): Raw {
  const { text } = reading;
  let end = start + 1;
  while (end < text.length && text[end] !== quote) end += text[end] === '\\' ? 2 : 1;
  if (end >= text.length) throw unreadable(reading, start, 'the quote is not closed');
  const inner = text.slice(start + 1, end);
  return quote === '"'
    ? { text: inner.replace(ESCAPE, unescaped), isLiteral: false, end: end + 1 }
    : { text: inner.replaceAll("\\'", "'"), isLiteral: true, end: end + 1 };
}

function unescaped(_whole: string, letter: string | undefined, octal: string | undefined): string {
  if (letter !== undefined) return ESCAPES[letter] ?? '';
  return String.fromCharCode(Number.parseInt(octal ?? '', 8));
}

function bareAt(start: number, text: string): Raw {
  const lineEnd = text.indexOf('\n', start);
  const end = lineEnd < 0 ? text.length : lineEnd;
  const line = text.slice(start, end);
  const comment = line.indexOf(' #');
  return { text: (comment < 0 ? line : line.slice(0, comment)).trimEnd(), isLiteral: false, end };
}

function expand({ text, isLiteral }: Raw, at: number, reading: Reading): string | undefined {
  if (text?.includes('\0') === true) throw unreadable(reading, at, 'a NUL character is not allowed');
  if (text === undefined || isLiteral) return text;
  const { lookup, variables } = reading;
  try {
    return interpolate(text, (name) => lookup(name) ?? variables.get(name));
  } catch (error) {
    if (error instanceof TemplateError) throw unreadable(reading, at, error.message);
    throw error;
  }
}

function skipBlank(text: string, at: number): number {
  return at + (matchAt(BLANK, text, at)?.[0].length ?? 0);
}

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | undefined {
  pattern.lastIndex = at;
  return pattern.exec(text) ?? undefined;
}

function unreadable({ text, where }: Reading, at: number, why: string): UsageError {
  const line = text.slice(0, at).split('\n').length;
  return new UsageError(`${where}:${line}: ${why}`, { hint: 'write one NAME=VALUE per line' });
}
