import { UsageError } from '../../../errors.ts';
import { ruleFor } from './rules.ts';
import { parseMount, parsePort } from '../shortSyntax.ts';
import type { Mapping, Value } from '../yaml/value.ts';
import { Tagged, isMapping, asList, mapStrings, asMapping, scalarText } from '../yaml/value.ts';

/** Fills in the variables of a text: entries are compared with, but kept without, their values. */
export type Fill = (text: string) => string;

/**
 * Merges `over` over `base` as Compose merges files. The result keeps its merge tags, which also
 * apply to the files it is merged over later. `path` is the place of both mappings in the file.
 * Throws UsageError for a list that is merged with a mapping.
 */
export function mergeMappings(base: Mapping, over: Mapping, path: readonly string[], fill: Fill): Mapping {
  const merged = { ...base };
  for (const [key, value] of Object.entries(over)) {
    const before = presentIn(merged, key);
    merged[key] = before === undefined ? value : mergeValues(before, value, [...path, key], fill);
  }
  return merged;
}

function presentIn(mapping: Mapping, key: string): Value | undefined {
  const value = Object.hasOwn(mapping, key) ? mapping[key] : undefined;
  if (!(value instanceof Tagged)) return value;
  return value.tag === 'reset' ? undefined : value.value;
}

function mergeValues(base: Value, over: Value, path: readonly string[], fill: Fill): Value {
  if (over instanceof Tagged) return over;
  const rule = ruleFor(path) ?? '';
  if (over === null && rule !== 'replaced') return base;
  const keyOf = KEYS[rule];
  if (keyOf === undefined) return (MERGERS[rule] ?? mergePlain)(base, over, path, fill);
  return unique([...listItems(base), ...listItems(over)], (item) => keyOf(mapStrings(item, fill)));
}

/** The key of a list's item: a later item replaces an earlier one with the same key. */
const KEYS: Record<string, (item: Value) => string> = {
  unique: (item) => scalarText(item) || scalarText(asMapping(item)['path']) || JSON.stringify(item),
  ports: portKey,
  mounts: (item) => parseMount(item).target,
  configs: (item) => grantKey(item, ''),
  secrets: (item) => grantKey(item, '/run/secrets'),
};

type Merger = (base: Value, over: Value, path: readonly string[], fill: Fill) => Value;

const MERGERS: Record<string, Merger> = {
  replaced: (_base, over) => over,
  keyed: (base, over) => ({ ...keyed(base), ...keyed(over) }),
  named: (base, over, path, fill) => mergeMappings(named(base, path), named(over, path), path, fill),
  build: (base, over, path, fill) => mergeMappings(buildOf(base), buildOf(over), path, fill),
  logging: mergeLogging,
  limit: (base, over, path, fill) =>
    isMapping(base) && isMapping(over) ? mergeMappings(base, over, path, fill) : over,
  subnets: mergeSubnets,
  sequence: (base, over) => [...asList(base), ...asList(over)],
  gpus: mergeGpus,
};

function mergePlain(base: Value, over: Value, path: readonly string[], fill: Fill): Value {
  if (isMapping(base) && isMapping(over)) return mergeMappings(base, over, path, fill);
  if (Array.isArray(base) && Array.isArray(over)) return [...base, ...over];
  if (base !== null && (isMapping(base) || Array.isArray(base)))
    throw new UsageError(
      `can't merge ${path.join('.')}: one file has a ${describeShape(base)}, a later one a ${describeShape(over)}`,
    );
  return over;
}

function describeShape(value: Value): string {
  if (isMapping(value)) return 'mapping';
  return Array.isArray(value) ? 'list' : 'plain value';
}

/**
 * A copy of the model, with variables filled in, in which only the last of equal items is left in
 * each list that merges by key. Compose does this to a single file as well.
 */
export function withoutRepeats(model: Mapping): Mapping {
  return dropRepeats(model, []) as Mapping;
}

function dropRepeats(value: Value, path: readonly string[]): Value {
  if (isMapping(value)) {
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [key, dropRepeats(item, [...path, key])]),
    );
  }
  const rule = Array.isArray(value) ? (ruleFor(path) ?? '') : '';
  const keyOf =
    KEYS[rule] ?? (rule === 'keyed' ? (item: Value) => keyAndValue(scalarText(item))[0] : undefined);
  return keyOf === undefined ? value : unique(asList(value), keyOf);
}

/** A `KEY=VALUE` list as a mapping. A key without `=` gets the value null. */
export function keyed(value: Value | undefined): Mapping {
  if (!Array.isArray(value)) return asMapping(value);
  return Object.fromEntries(value.map((item) => keyAndValue(scalarText(item))));
}

function keyAndValue(text: string): [string, Value] {
  const equals = text.indexOf('=');
  return equals < 0 ? [text, null] : [text.slice(0, equals), text.slice(equals + 1)];
}

function named(value: Value, path: readonly string[]): Mapping {
  if (!Array.isArray(value)) return asMapping(value);
  const isDependency = path[2] === 'depends_on';
  const details = (): Value => (isDependency ? { condition: 'service_started', required: true } : null);
  return Object.fromEntries(value.map((item) => [scalarText(item), details()]));
}

function listItems(value: Value): Value[] {
  if (!isMapping(value)) return asList(value);
  return Object.entries(value).flatMap(([host, items]) =>
    asList(items).map((item) => `${host}=${scalarText(item)}`),
  );
}

/** Keeps the last item of each key. */
function unique(items: readonly Value[], keyOf: (item: Value) => string): Value[] {
  const kept = new Map<string, Value>();
  for (const item of items) kept.set(keyOf(item), item);
  return [...kept.values()];
}

function portKey(item: Value): string {
  const { hostIp, published, target, protocol } = parsePort(item);
  return `${hostIp}|${published}|${target}/${protocol}`;
}

function grantKey(item: Value, folder: string): string {
  if (!isMapping(item)) return `${folder}/${scalarText(item)}`;
  return scalarText(item['target']) || `${folder}/${scalarText(item['source'])}`;
}

function buildOf(value: Value): Mapping {
  return typeof value === 'string' ? { context: value } : asMapping(value);
}

function mergeLogging(base: Value, over: Value, path: readonly string[], fill: Fill): Value {
  const [before, after] = [asMapping(base), asMapping(over)];
  const drivers = [before['driver'], after['driver']];
  const isOther = drivers.every((driver) => driver !== undefined) && drivers[0] !== drivers[1];
  return isOther ? after : mergeMappings(before, after, path, fill);
}

/** `all` is short for a list with one request. Compose only takes it as the first one. */
function mergeGpus(base: Value, over: Value, path: readonly string[]): Value {
  if (over === 'all')
    throw new UsageError(`can't merge ${path.join('.')}: all can't be added to the gpus of an earlier file`, {
      hint: 'write gpus: !override all',
    });
  return [...(base === 'all' ? [{ count: -1 }] : asList(base)), ...asList(over)];
}

function mergeSubnets(base: Value, over: Value, path: readonly string[], fill: Fill): Value {
  return asList(over).map((item) => {
    const same = asList(base).find((one) => asMapping(one)['subnet'] === asMapping(item)['subnet']);
    return mergeMappings(asMapping(same), asMapping(item), path, fill);
  });
}
