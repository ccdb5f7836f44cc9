import { UsageError } from '../errors.ts';
import { checkDestination, checkMap, checkMapping, checkPolicy } from './checkMap.ts';
import type { JsonObject, Problem } from './fieldRules.ts';
import { isObject } from './fieldRules.ts';
import type { Account, Destination, Entry, Mapping, Policy } from './model.ts';
import { WORKFLOWS } from './model.ts';

/**
 * The entries of a map (`source` says in messages where it came from), with the meta of entry, account and destination
 * merged and the account's provider in every destination. Throws UsageError with the path of the first thing that is wrong.
 */
export function readMap(value: unknown, source: string): Entry[] {
  refuse(checkMap(value), source);
  return (value as JsonObject[]).map(readEntry);
}

/** A destination; throws UsageError for a wrong one. */
export function readDestination(value: unknown, source: string): Destination {
  refuse(checkDestination(value), source);
  return destinationOf(value as JsonObject);
}

/** A mapping; throws UsageError for a wrong one. */
export function readMapping(value: unknown, source: string): Mapping {
  refuse(checkMapping(value), source);
  return mappingOf(value as JsonObject);
}

/** A policy; throws UsageError for a wrong one. */
export function readPolicy(value: unknown, source: string): Policy {
  refuse(checkPolicy(value), source);
  const fields = value as JsonObject;
  return {
    id: given(fields, 'id') as string | null,
    name: fields['name'] as string,
    workflow: workflowOf(fields),
    meta: given(fields, 'meta') as JsonObject | null,
    mappings: (fields['mappings'] as JsonObject[]).map(mappingOf),
  };
}

/** `map.yaml: [0].cloud: expected a text, found nothing` */
export function problemText({ path, message }: Problem, source: string): string {
  return [source, path, message].filter((part) => part !== '').join(': ');
}

function refuse(problems: readonly Problem[], source: string): void {
  const [first, ...more] = problems;
  if (first === undefined) return;
  const rest = more.length === 0 ? '' : ` (and ${more.length} more)`;
  throw new UsageError(problemText(first, source) + rest, {
    hint: 'destinations lint FILE lists all that is wrong with a map',
  });
}

function readEntry(fields: JsonObject): Entry {
  const accounts = Object.entries(fields['mappings'] as Record<string, JsonObject>);
  const meta = (given(fields, 'meta') as JsonObject | null) ?? {};
  return {
    name: fields['name'] as string,
    workflow: workflowOf(fields),
    cloud: fields['cloud'] as string,
    accounts: Object.fromEntries(accounts.map(([name, account]) => [name, accountOf(account, meta)])),
    billing_code_config: (given(fields, 'billing-code-config') as JsonObject | null) ?? {},
  };
}

function accountOf(fields: JsonObject, entryMeta: JsonObject): Account {
  const provider = given(fields, 'provider') as string | null;
  const meta = mergeObjects(entryMeta, (given(fields, 'meta') as JsonObject | null) ?? {});
  const destinations = (fields['destinations'] as JsonObject[]).map(destinationOf);
  return {
    provider,
    destinations: destinations.map((one) => ({ ...one, meta: mergeObjects(meta, one.meta ?? {}), provider })),
  };
}

function mappingOf(fields: JsonObject): Mapping {
  return {
    id: given(fields, 'id') as string | null,
    marketplace_account: fields['marketplace_account'] as string,
    version_fnmatch: given(fields, 'version_fnmatch') as string | null,
    version_regexmatch: given(fields, 'version_regexmatch') as string | null,
    provider: given(fields, 'provider') as string | null,
    meta: given(fields, 'meta') as JsonObject | null,
    destinations: (fields['destinations'] as JsonObject[]).map(destinationOf),
  };
}

function destinationOf(fields: JsonObject): Destination {
  return {
    meta: given(fields, 'meta') as JsonObject | null,
    id: given(fields, 'id') as string | null,
    architecture: given(fields, 'architecture') as string | null,
    destination: fields['destination'] as string,
    overwrite: fields['overwrite'] as boolean,
    restrict_version: fields['restrict_version'] as boolean,
    restrict_major: wholeOf(fields, 'restrict_major'),
    restrict_minor: wholeOf(fields, 'restrict_minor'),
    ami_version_template: given(fields, 'ami_version_template') as string | null,
    provider: given(fields, 'provider') as string | null,
    tags: given(fields, 'tags') as Record<string, string> | null,
    vhd_check_base_sas_only: given(fields, 'vhd_check_base_sas_only') as boolean | null,
  };
}

/** A field that the checks have passed, or null for one that is missing. */
function given(fields: JsonObject, name: string): unknown {
  return fields[name] ?? null;
}

function wholeOf(fields: JsonObject, name: string): number | null {
  const value = given(fields, name) as number | boolean | null;
  return value === null ? null : Number(value);
}

function workflowOf(fields: JsonObject): Entry['workflow'] {
  return WORKFLOWS[fields['workflow'] as keyof typeof WORKFLOWS];
}

/**
 * `low` overlaid with `high`, objects key by key. As in StArMap, an object in `low` outlives an empty value in `high`
 * (null, false, 0, empty text, list or object), whereas null replaces anything else.
 */
export function mergeObjects(low: JsonObject, high: JsonObject): JsonObject {
  const names = [...new Set([...Object.keys(low), ...Object.keys(high)])];
  return Object.fromEntries(names.map((name) => [name, mergeValue(name, low, high)]));
}

function mergeValue(name: string, low: JsonObject, high: JsonObject): unknown {
  const [below, above] = [low[name], high[name]];
  if (!Object.hasOwn(high, name)) return below;
  if (!Object.hasOwn(low, name) || !isObject(below)) return above;
  if (isEmpty(above)) return below;
  return isObject(above) ? mergeObjects(below, above) : above;
}

function isEmpty(value: unknown): boolean {
  if (Array.isArray(value)) return value.length === 0;
  return isObject(value) ? Object.keys(value).length === 0 : !value;
}
