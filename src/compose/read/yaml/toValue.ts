import type { Alias, Document, Pair, Scalar, YAMLMap } from 'yaml';
import { isAlias, isMap, isScalar, isSeq, visit } from 'yaml';
import { UsageError } from '../../../errors.ts';
import type { YamlFile } from './yamlFile.ts';
import type { Mapping, Value } from './value.ts';
import { isPlainDate, plainNumber } from './scalars.ts';
import { Tagged, isMapping } from './value.ts';

/** Counted with aliases followed, so that nested aliases cannot fill the memory. */
const MOST_NODES = 200_000;

/**
 * Converts the document to plain data as Compose's YAML reader does: it follows aliases and merge
 * keys (`<<`), reads `0440` as octal and keeps `!reset` and `!override` as Tagged. Throws
 * UsageError with line and column for a value it can't read, for an alias inside its own anchor,
 * and for more than 200000 values.
 */
export function toValue(file: YamlFile, document: Document): Value {
  const before = file.documents.slice(0, Math.max(file.documents.indexOf(document), 0));
  const targets = aliasTargets([...before, document]);
  return convert(document.contents, { file, targets, open: new Set(), nodes: 0, extensions: 0 });
}

interface Reading {
  file: YamlFile;
  targets: ReadonlyMap<Alias, unknown>;
  /** The nodes around the one being read. */
  open: Set<unknown>;
  /** Nodes read so far. */
  nodes: number;
  /** How many `x-` attributes are around the node. */
  extensions: number;
}

/** Maps each alias to its target: the last node above it, in any document, with that anchor. */
function aliasTargets(documents: readonly Document[]): Map<Alias, unknown> {
  const anchors = new Map<string, unknown>();
  const targets = new Map<Alias, unknown>();
  for (const document of documents) {
    visit(document, {
      Value: (_key, node) => {
        if (node.anchor !== undefined) anchors.set(node.anchor, node);
      },
      Alias: (_key, alias) => {
        targets.set(alias, anchors.get(alias.source));
      },
    });
  }
  return targets;
}

function convert(node: unknown, reading: Reading): Value {
  reading.nodes += 1;
  if (reading.nodes > MOST_NODES)
    throw fault(reading, node, `more than ${MOST_NODES} values, aliases followed`);
  if (node === null || node === undefined) return null;
  if (reading.open.has(node)) throw fault(reading, node, 'an alias inside its own anchor');
  reading.open.add(node);
  const value = tagged(node, convertPlain(node, reading));
  reading.open.delete(node);
  return value;
}

function convertPlain(node: unknown, reading: Reading): Value {
  if (isAlias(node)) return convert(targetOf(node, reading), reading);
  if (isScalar(node)) return scalarValue(node, reading);
  if (isSeq(node)) return node.items.map((item) => convert(item, reading));
  if (isMap(node)) return convertMap(node, reading);
  throw fault(reading, node, 'this is not a value that Compose can read');
}

function convertMap(node: YAMLMap, reading: Reading): Mapping {
  const merged: Mapping = {};
  const own: Mapping = {};
  const seen = new Set<string>();
  for (const pair of node.items) {
    const isMerge = isMergeKey(pair);
    const key = isMerge ? '<<' : keyOf(pair, reading);
    if (seen.has(key)) throw fault(reading, pair.key, `the key ${key} is there twice`);
    seen.add(key);
    if (isMerge) takeMerged(merged, pair.value, reading);
    else own[key] = convertEntry(key, pair.value, reading);
  }
  return { ...merged, ...own };
}

function convertEntry(key: string, node: unknown, reading: Reading): Value {
  const isExtension = key.startsWith('x-');
  reading.extensions += isExtension ? 1 : 0;
  const value = convert(node, reading);
  reading.extensions -= isExtension ? 1 : 0;
  return value;
}

/** The first of several merged mappings wins. https://yaml.org/type/merge.html */
function takeMerged(into: Mapping, node: unknown, reading: Reading): void {
  const value = convert(node, reading);
  for (const item of Array.isArray(value) ? value : [value]) {
    if (!isMapping(item)) throw fault(reading, node, '<< takes a mapping or a list of mappings');
    for (const [key, inherited] of Object.entries(item)) {
      if (!Object.hasOwn(into, key)) into[key] = inherited;
    }
  }
}

function targetOf(alias: Alias, reading: Reading): unknown {
  const target = reading.targets.get(alias);
  if (target === undefined) throw fault(reading, alias, `no anchor &${alias.source} above`);
  return target;
}

function keyOf({ key }: Pair, reading: Reading): string {
  const named = isAlias(key) ? targetOf(key, reading) : key;
  if (!isScalar(named)) throw fault(reading, named, 'a key must be a string');
  const text = scalarValue(named, reading);
  if (typeof text !== 'string')
    throw fault(reading, named, `the key ${named.source ?? ''} is not a string: put it in quotes`);
  if (text === '__proto__') throw fault(reading, named, 'a key must not be named __proto__');
  return text;
}

function fault({ file }: Reading, node: unknown, why: string): UsageError {
  return new UsageError(`${file.where(node)}: ${why}`);
}

function tagged(node: unknown, value: Value): Value {
  const tag = isScalar(node) || isMap(node) || isSeq(node) ? node.tag : undefined;
  if (tag === '!reset') return new Tagged('reset', null);
  return tag === '!override' ? new Tagged('override', value) : value;
}

function isMergeKey({ key }: Pair): boolean {
  return isScalar(key) && key.value === '<<' && (key.type ?? 'PLAIN') === 'PLAIN';
}

function scalarValue(node: Scalar, reading: Reading): Value {
  const { value, tag } = node;
  const number = plainNumberOf(node, reading);
  if (number !== undefined) return number;
  if (typeof value === 'string') {
    if (value.includes('\0')) throw fault(reading, node, 'a NUL character is not allowed');
    return endsWithoutBreak(node, reading) ? value.replace(/\n$/, '') : value;
  }
  if (value instanceof Uint8Array) return Buffer.from(value).toString('utf8');
  if (typeof value === 'number' || typeof value === 'boolean') return value;
  if (value === null || value === undefined) return null;
  throw fault(reading, node, `a value with the tag ${tag ?? ''} is not supported`);
}

function plainNumberOf(node: Scalar, reading: Reading): number | bigint | undefined {
  const { source, type, tag } = node;
  if (source === undefined || (type ?? 'PLAIN') !== 'PLAIN' || tag !== undefined) return undefined;
  if (isPlainDate(source) && reading.extensions === 0) {
    throw fault(reading, node, `Compose reads ${source} as a date: put it in quotes`);
  }
  return plainNumber(source);
}

/** True for a block at the end of a file without a last line break: its value has none, too. */
function endsWithoutBreak({ type, range }: Scalar, { file: { text } }: Reading): boolean {
  const isBlock = type === 'BLOCK_LITERAL' || type === 'BLOCK_FOLDED';
  return isBlock && !text.endsWith('\n') && (range?.[1] ?? 0) >= text.length;
}
