import { isDeepStrictEqual } from 'node:util';
import type { Document, YAMLMap } from 'yaml';
import { isMap, parseAllDocuments, parseDocument } from 'yaml';
import { UsageError } from '../../errors.ts';
import { LINEAR } from '../../io/yaml.ts';

type Value = string | readonly string[];
type Entry = readonly [key: string, value: Value];

/**
 * The text of a Compose file with the settings that its `x-mender` lacks. Everything else keeps its
 * bytes: comments, quotes and order. Throws UsageError, with the lines to add by hand, where that
 * can't be done without a change of the rest. Pure.
 */
export function withSettings(text: string, settings: Readonly<Record<string, Value>>): string {
  const document = parseDocument(text, LINEAR);
  const { contents } = document;
  const block = isMap(contents) ? contents.get('x-mender', true) : undefined;
  const missing = Object.entries(settings).filter(([key]) => !(isMap(block) && block.has(key)));
  if (missing.length === 0) return text;
  const result =
    block === undefined ? withNewBlock(text, document, missing) : withCompletedBlock(text, block, missing);
  if (!hasOnlyAdded(text, result, Object.fromEntries(missing))) {
    throw new UsageError("init can't add x-mender to the Compose file without a change of the rest", {
      hint: `add by hand: x-mender: ${flowMap(missing)}`,
    });
  }
  return result;
}

/** Writes `x-mender` in front of all other keys, in their style. */
function withNewBlock(text: string, { contents }: Document.Parsed, entries: readonly Entry[]): string {
  if (isMap(contents) && contents.flow === true) return withFlowEntry(text, contents, entries);
  const indentation = isMap(contents) ? indentationAt(text, contents.range[0]) : '';
  const at = startOfDocument(text);
  const ownLines = entries.map(([key, value]) => `  ${key}: ${valueText(value)}`);
  return insertLines(text, at, ['x-mender:', ...ownLines], indentation);
}

/** Takes JSON as well, and keeps it JSON. */
function withFlowEntry(text: string, { range, items }: YAMLMap, entries: readonly Entry[]): string {
  const at = (range?.[0] ?? 0) + 1;
  const [space = ''] = /^\s*/.exec(text.slice(at)) ?? [];
  const comma = items.length > 0 ? ',' : '';
  return `${text.slice(0, at)}${space}"x-mender": ${flowMap(entries)}${comma}${text.slice(at)}`;
}

function flowMap(entries: readonly Entry[]): string {
  return JSON.stringify(
    Object.fromEntries(entries.map(([key, value]) => [key, onlyOf(value)])),
    undefined,
    1,
  ).replace(/\n */g, ' ');
}

function withCompletedBlock(text: string, block: unknown, entries: readonly Entry[]): string {
  const start = isMap(block) && block.flow !== true ? block.range?.[0] : undefined;
  if (start === undefined) {
    throw new UsageError('x-mender: init completes it only if each key has a line of its own', {
      hint: `add ${entries.map(([key, value]) => `${key}: ${valueText(value)}`).join(', ')} to it`,
    });
  }
  const ownLines = entries.map(([key, value]) => `${key}: ${valueText(value)}`);
  return insertLines(text, lineStart(text, start), ownLines, indentationAt(text, start));
}

/** Behind the byte order mark, and behind the line that starts the document, if there are any. */
function startOfDocument(text: string): number {
  const mark = text.startsWith('\ufeff') ? 1 : 0;
  const [head] = /^(?:%.*\r?\n|#.*\r?\n|[ \t]*\r?\n)*---[ \t]*(?:#.*)?\r?\n/.exec(text.slice(mark)) ?? [''];
  return mark + head.length;
}

function lineStart(text: string, at: number): number {
  return text.lastIndexOf('\n', at - 1) + 1;
}

/** What is before the first key of a map on its line. */
function indentationAt(text: string, at: number): string {
  return text.slice(lineStart(text, at), at).replace('\ufeff', '');
}

function insertLines(text: string, at: number, added: readonly string[], indentation: string): string {
  const end = text.includes('\r\n') ? '\r\n' : '\n';
  const lines = added.map((line) => `${indentation}${line}${end}`).join('');
  return text.slice(0, at) + lines + text.slice(at);
}

/** True if a reader finds all that it found before, and `added` below `x-mender`. */
function hasOnlyAdded(before: string, after: string, added: Readonly<Record<string, Value>>): boolean {
  const [old, found] = [contentOf(before), contentOf(after)];
  const [first, ...others] = old.values;
  const root = (first ?? {}) as { 'x-mender'?: object };
  const values = Object.entries(added).map(([key, value]) => [key, onlyOf(value)] as const);
  const block = { ...root['x-mender'], ...Object.fromEntries(values) };
  return isDeepStrictEqual(found, { ...old, values: [{ ...root, 'x-mender': block }, ...others] });
}

/** The values of all documents, and what the parser reports. Compose tolerates some of that. */
function contentOf(text: string): { values: unknown[]; errors: string[] } {
  const documents = [...parseAllDocuments(text, LINEAR)];
  return {
    values: documents.map((document) => document.toJS({ maxAliasCount: -1 }) as unknown),
    errors: documents.flatMap(({ errors }) => errors.map(({ code }) => code)),
  };
}

function onlyOf(value: Value): Value {
  return typeof value !== 'string' && value.length === 1 ? (value[0] ?? '') : value;
}

function valueText(value: Value): string {
  const only = onlyOf(value);
  return typeof only === 'string' ? scalar(only) : `[${only.map(scalar).join(', ')}]`;
}

/** A YAML scalar: quoted where YAML would read anything but this text. */
export function scalar(value: string): string {
  const isPlain = /^[A-Za-z][\w./-]*$/.test(value) && !/^(true|false|null|yes|no|on|off|y|n)$/i.test(value);
  return isPlain ? value : JSON.stringify(value);
}
