import { isDeepStrictEqual } from 'node:util';
import { didYouMean } from '../../../io/suggest.ts';
import type { Value } from '../yaml/value.ts';
import { isMapping } from '../yaml/value.ts';
import { COMPOSE_SCHEMA } from './composeSchema.ts';
import { withArticle } from './kinds.ts';

/** The keywords of JSON Schema that the schema of Compose uses. */
interface Schema {
  $ref?: string;
  type?: string | string[];
  enum?: unknown[];
  oneOf?: Schema[];
  properties?: Record<string, Schema>;
  patternProperties?: Record<string, Schema>;
  additionalProperties?: boolean | Schema;
  required?: string[];
  items?: Schema;
  uniqueItems?: boolean;
  minimum?: number;
  maximum?: number;
  pattern?: string;
  definitions?: Record<string, Schema>;
}

/** A value that the schema does not allow. */
export interface Fault {
  /** The keys that lead to the value; list items are named by their index. */
  path: string[];
  /** What is wrong, to be read after the path: `must be a string`. */
  message: string;
  /** What to know or try. */
  hint?: string;
}

let root: Schema | undefined;

/**
 * Validates a model, with variables filled in and values cast, against the schema of the Compose
 * specification. Returns the most specific fault, or undefined if the model is valid.
 * https://github.com/compose-spec/compose-spec/blob/main/schema/compose-spec.json
 */
export function findSchemaFault(model: Value): Fault | undefined {
  root ??= JSON.parse(COMPOSE_SCHEMA) as Schema;
  return mostSpecific(faultsOf(model, root, []));
}

function mostSpecific(faults: readonly Fault[]): Fault | undefined {
  const depth = ({ path, message }: Fault) => path.length + (message.startsWith(UNKNOWN) ? 1 : 0);
  return faults.reduce<Fault | undefined>(
    (best, fault) => (best === undefined || depth(fault) > depth(best) ? fault : best),
    undefined,
  );
}

function faultsOf(value: Value, schema: Schema, path: string[]): Fault[] {
  if (schema.$ref !== undefined) return faultsOf(value, referenced(schema.$ref), path);
  const wrongType = typeFault(value, schema);
  if (wrongType !== undefined) return [{ path, message: wrongType }];
  return [
    ...scalarFaults(value, schema).map((message) => ({ path, message })),
    ...(schema.oneOf === undefined ? [] : choiceFaults(value, schema.oneOf, path)),
    ...(isMapping(value) ? mappingFaults(Object.entries(value), schema, path) : []),
    ...(Array.isArray(value) ? listFaults(value, schema, path) : []),
  ];
}

function referenced(reference: string): Schema {
  const name = reference.replace('#/definitions/', '');
  const found = root?.definitions?.[name];
  if (found === undefined) throw new Error(`the schema has no ${reference}`);
  return found;
}

/** What people call the types of JSON Schema that YAML has other words for. */
const NAMES: Readonly<Record<string, string>> = { object: 'mapping', array: 'list' };

function typeFault(value: Value, { type }: Schema): string | undefined {
  if (type === undefined) return undefined;
  const wanted = typeof type === 'string' ? [type] : type;
  if (wanted.some((one) => hasType(value, one))) return undefined;
  const names = wanted.map((one) => NAMES[one] ?? one).sort();
  return `must be ${withArticle(names.join(' or '))}`;
}

function hasType(value: Value, type: string): boolean {
  if (type === 'object') return isMapping(value);
  if (type === 'array') return Array.isArray(value);
  if (type === 'null') return value === null;
  if (type === 'integer') return Number.isInteger(value) || typeof value === 'bigint';
  if (type === 'number') return typeof value === 'number' || typeof value === 'bigint';
  return typeof value === type;
}

function scalarFaults(value: Value, { enum: allowed, minimum, maximum, pattern }: Schema): string[] {
  const isNumber = typeof value === 'number' || typeof value === 'bigint';
  return [
    ...(allowed !== undefined && !allowed.includes(value) ? [`must be one of ${allowed.join(', ')}`] : []),
    ...(isNumber && minimum !== undefined && value < minimum ? [`must be at least ${minimum}`] : []),
    ...(isNumber && maximum !== undefined && value > maximum ? [`must be at most ${maximum}`] : []),
    ...(typeof value === 'string' && pattern !== undefined && !expression(pattern).test(value)
      ? [`has an invalid value: ${JSON.stringify(value)}`]
      : []),
  ];
}

function choiceFaults(value: Value, choices: readonly Schema[], path: string[]): Fault[] {
  const tried = choices.map((choice) => faultsOf(value, choice, path));
  const matching = tried.filter((faults) => faults.length === 0).length;
  if (matching === 1) return [];
  return matching === 0 ? tried.flat() : [{ path, message: 'is ambiguous' }];
}

const UNKNOWN = 'has an attribute that Compose does not know: ';

function mappingFaults(entries: readonly [string, Value][], schema: Schema, path: string[]): Fault[] {
  const keys = new Set(entries.map(([key]) => key));
  const missing = (schema.required ?? []).filter((key) => !keys.has(key));
  return [
    ...missing.map((key) => ({ path, message: `needs the attribute ${key}` })),
    ...entries.flatMap(([key, value]) => entryFaults(key, value, schema, path)),
  ];
}

function entryFaults(key: string, value: Value, schema: Schema, path: string[]): Fault[] {
  const schemas = schemasFor(key, schema);
  if (schemas === undefined) {
    const near = didYouMean(key, Object.keys(schema.properties ?? {}));
    return [{ path, message: UNKNOWN + key + (near === undefined ? '' : ` (${near})`) }];
  }
  return schemas.flatMap((one) => faultsOf(value, one, [...path, key]));
}

/** The schemas of one key of a mapping, or undefined if the mapping may not have the key. */
function schemasFor(key: string, schema: Schema): Schema[] | undefined {
  const { properties = {}, patternProperties = {}, additionalProperties = true } = schema;
  const own = Object.hasOwn(properties, key) ? [properties[key] ?? {}] : [];
  const matching = Object.entries(patternProperties)
    .filter(([pattern]) => expression(pattern).test(key))
    .map(([, one]) => one);
  if (own.length + matching.length > 0) return [...own, ...matching];
  if (typeof additionalProperties !== 'boolean') return [additionalProperties];
  return additionalProperties ? [] : undefined;
}

function listFaults(list: readonly Value[], { items, uniqueItems }: Schema, path: string[]): Fault[] {
  const repeated = uniqueItems === true ? repeatedItem(list) : undefined;
  return [
    ...(repeated === undefined ? [] : [{ path, message: `has the item ${repeated} twice` }]),
    ...(items === undefined
      ? []
      : list.flatMap((item, index) => faultsOf(item, items, [...path, String(index)]))),
  ];
}

/** The first item that equals an earlier one, as JSON. Items of different types are never equal. */
function repeatedItem(list: readonly Value[]): string | undefined {
  const seen = new Map<string, Value>();
  for (const item of list) {
    const text = JSON.stringify(item, (_key, value: unknown) =>
      typeof value === 'bigint' ? value.toString() : value,
    );
    if (isDeepStrictEqual(seen.get(text), item)) return text;
    seen.set(text, item);
  }
  return undefined;
}

const EXPRESSIONS = new Map<string, RegExp>();

function expression(pattern: string): RegExp {
  const known = EXPRESSIONS.get(pattern) ?? new RegExp(pattern, 'u');
  EXPRESSIONS.set(pattern, known);
  return known;
}
