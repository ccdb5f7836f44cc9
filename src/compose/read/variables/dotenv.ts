import { UsageError } from '../../../errors.ts';
import type { Lookup } from './template.ts';
import { TemplateError, interpolate } from './template.ts';

const KEY = /[^\S\n]*(?:export[^\S\n]+)?([\p{L}\p{N}_.[\]-]{1,100000})[^\S\n]*(?:([=:])[^\S\n]*|(?=\n|$))/uy;
const NOT_BLANK = /\S/g;
/** A name at the start of a line. No part of it matches a line end, so it takes linear time. */
const LINE = /^[ \t]*(?:export[ \t]+)?([A-Za-z_]\w*)[ \t]*[=:]/gm;
const ESCAPE = /\\(?:([abfnrtv"\\$])|0([0-3][0-7]{2}))/g;
const ESCAPES: Record<string, string> = {
  ...{ a: '\x07', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' },
  ...{ '"': '"', '\\': '\\', $: '$$' },
};
/** Characters of a file. Real files have some kilobytes. */
const LARGEST = 16 << 20;
/** Characters of all values together. */
const MOST_CHARACTERS = 8 << 20;

/** A value as it is written, and where it ends. */
interface Raw {
  text: string;
  /** True if its variables are not filled in. */
  isLiteral: boolean;
  end: number;
}

/** A file that is being parsed. */
interface Reading {
  text: string;
  /** The name of the file. */
  where: string;
}

/** One `NAME=VALUE`. */
interface Assignment {
  name: string;
  /** Undefined for a name without `=`. */
  value: Raw | undefined;
  /** Where it begins. */
  at: number;
}

/**
 * Parses an env file into its variables, in order. Unquoted and double-quoted values are
 * interpolated from `lookup`, then from the lines above. A name without `=` takes its value from
 * `lookup`. Takes linear time. Throws UsageError for an invalid line, for a file of more than 16
 * MiB and for values of more than 8 MiB; `where` names the file in it.
 * https://github.com/compose-spec/compose-spec/blob/main/05-services.md#env_file-format
 */
export function parseDotenv(source: string, where: string, lookup: Lookup): Map<string, string> {
  const variables = new Map<string, string>();
  const reading: Reading = { text: source.replace(/^\uFEFF/, ''), where };
  let length = 0;
  const known: Lookup = (name) => lookup(name) ?? variables.get(name);
  for (const assignment of assignments(reading)) {
    const { name, value, at } = assignment;
    const expanded = value === undefined ? lookup(name) : expand(value, assignment, reading, known);
    if (expanded !== undefined) variables.set(name, expanded);
    length += expanded?.length ?? 0;
    if (length > MOST_CHARACTERS) throw unreadable(reading, at, 'the values are too long');
  }
  return variables;
}

/**
 * The names that an env file gives values. Misses no name that Compose finds: it takes those that
 * `parseDotenv` finds, and those at the start of a line, also of a file that can't be parsed. Takes
 * linear time.
 */
export function assignedNames(source: string): Set<string> {
  const text = source.replace(/^\uFEFF/, '');
  const names = new Set<string>();
  for (const [, name = ''] of text.matchAll(LINE)) names.add(name);
  try {
    for (const { name, value } of assignments({ text, where: '' })) if (value !== undefined) names.add(name);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
  }
  return names;
}

function* assignments(reading: Reading): Generator<Assignment> {
  const { text } = reading;
  if (text.length > LARGEST)
    throw new UsageError(`${reading.where}: the file has more than ${LARGEST} characters`);
  for (let at = skipBlank(text, 0); at < text.length;) {
    const key = matchAt(KEY, text, at);
    const name = key?.[1];
    if (key === undefined || name === undefined) throw unreadable(reading, at, 'expected NAME=VALUE');
    const end = at + key[0].length;
    const value = key[2] === undefined ? undefined : valueAt(end, reading);
    yield { name, value, at };
    at = skipBlank(text, value?.end ?? end);
  }
}

function valueAt(start: number, reading: Reading): Raw {
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

/** An error names the variable and never shows its value. */
function expand(
  { text, isLiteral }: Raw,
  { name, at }: Assignment,
  reading: Reading,
  lookup: Lookup,
): string {
  if (text.includes('\0')) throw unreadable(reading, at, `${name}: a NUL character is not allowed`);
  if (isLiteral) return text;
  try {
    return interpolate(text, lookup);
  } catch (error) {
    if (error instanceof TemplateError) throw unreadable(reading, at, `${name}: ${error.message}`);
    throw error;
  }
}

/** Returns where the next text begins after blanks, line ends and comments. */
function skipBlank(text: string, from: number): number {
  for (let at = from; ;) {
    NOT_BLANK.lastIndex = at;
    const next = NOT_BLANK.exec(text)?.index ?? text.length;
    if (text[next] !== '#') return next;
    const lineEnd = text.indexOf('\n', next);
    at = lineEnd < 0 ? text.length : lineEnd;
  }
}

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | undefined {
  pattern.lastIndex = at;
  return pattern.exec(text) ?? undefined;
}

function unreadable({ text, where }: Reading, at: number, why: string): UsageError {
  const line = text.slice(0, at).split('\n').length;
  return new UsageError(`${where}:${line}: ${why}`, { hint: 'write one NAME=VALUE per line' });
}
