import { UsageError } from '../../../errors.ts';
import type { Lookup } from './template.ts';
import { TemplateError, interpolate } from './template.ts';

const KEY = /[^\S\n]*(?:export[^\S\n]+)?([\p{L}\p{N}_.[\]-]+)[^\S\n]*(?:([=:])[^\S\n]*|(?=\n|$))/uy;
const BLANK = /(?:\s|#[^\n]*)*/y;
const DOUBLE = /"((?:\\[^]|[^"\\])*)"/y;
const SINGLE = /'((?:\\'|[^'])*)'/y;
const BARE = /[^\n]*/y;
const AFTER_QUOTE = /[^\S\n]*(?:#[^\n]*)?(?=\n|$)/y;
const ESCAPES: Record<string, string> = {
  ...{ a: '\x07', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' },
  ...{ '"': '"', '\\': '\\', $: '$$' },
};

/**
 * Parses an env file into its variables, in order. Unquoted and double-quoted values are
 * interpolated from `lookup`, then from the lines above. A name without `=` takes its value from
 * `lookup`. Throws UsageError for an invalid line; `where` names the file in it.
 * https://github.com/compose-spec/compose-spec/blob/main/05-services.md#env_file-format
 */
export function parseDotenv(source: string, where: string, lookup: Lookup): Map<string, string> {
  const text = source.replace(/^\uFEFF/, '').replaceAll('\r\n', '\n');
  const variables = new Map<string, string>();
  const known: Lookup = (name) => lookup(name) ?? variables.get(name);
  let at = skipBlank(text, 0);
  while (at < text.length) {
    const key = matchAt(KEY, text, at);
    if (key?.[1] === undefined) throw unreadable(text, at, where, 'expected NAME=VALUE');
    const value = key[2] === undefined ? inherited(key, lookup) : valueAt(text, at + key[0].length, where);
    const expanded = expand(value, known, text, at, where);
    if (expanded !== undefined) variables.set(key[1], expanded);
    at = skipBlank(text, value.end ?? at + key[0].length);
  }
  return variables;
}

interface Raw {
  text: string | undefined;
  literal: boolean;
  end?: number;
}

function inherited(key: RegExpExecArray, lookup: Lookup): Raw {
  return { text: lookup(key[1] ?? ''), literal: true };
}

function valueAt(text: string, at: number, where: string): Raw {
  const quote = text[at];
  if (quote !== '"' && quote !== "'") return bareAt(text, at);
  const quoted = matchAt(quote === '"' ? DOUBLE : SINGLE, text, at);
  if (quoted === undefined) throw unreadable(text, at, where, 'the quote is not closed');
  const end = at + quoted[0].length;
  if (matchAt(AFTER_QUOTE, text, end) === undefined)
    throw unreadable(text, end, where, 'text follows the closing quote');
  const inner = quoted[1] ?? '';
  return quote === '"'
    ? { text: inner.replace(/\\([^])/g, (whole, c: string) => ESCAPES[c] ?? whole), literal: false, end }
    : { text: inner.replaceAll("\\'", "'"), literal: true, end };
}

function bareAt(text: string, at: number): Raw {
  const line = matchAt(BARE, text, at)?.[0] ?? '';
  const comment = /\s#/.exec(line);
  return {
    text: line.slice(0, comment?.index ?? line.length).trimEnd(),
    literal: false,
    end: at + line.length,
  };
}

function expand(value: Raw, known: Lookup, text: string, at: number, where: string): string | undefined {
  if (value.text === undefined || value.literal) return value.text;
  try {
    return interpolate(value.text, known);
  } catch (error) {
    if (error instanceof TemplateError) throw unreadable(text, at, where, error.message);
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

function unreadable(text: string, at: number, where: string, why: string): UsageError {
  const line = text.slice(0, at).split('\n').length;
  return new UsageError(`${where}:${line}: ${why}`, { hint: 'write one NAME=VALUE per line' });
}
