import { releaseTags } from './choose.ts';
import type { JsonObject, Problem } from './problems.ts';
import { below, isObject, schemaProblems } from './problems.ts';
import { isTag } from './plan.ts';
import { ACCOUNT_FIELDS, DESTINATION_FIELDS, ENTRY_FIELDS, mapSchema } from './schemas.ts';
import { checkMeta } from './settings.ts';

/** Errors in a map, and warnings of what is valid but probably not meant. */
export interface Findings {
  errors: Problem[];
  warnings: Problem[];
}

/** Checks a whole map. A map with schema errors gets no warnings. */
export function lintMap(value: unknown): Findings {
  const errors = schemaProblems(mapSchema, value);
  if (errors.length > 0) return { errors, warnings: [] };
  const entries = value as JsonObject[];
  const [problems, warnings] = [entries.flatMap(entryErrors), entries.flatMap(entryWarnings)];
  return { errors: problems, warnings: [...twins(entries), ...warnings] };
}

interface Place {
  fields: JsonObject;
  path: string;
}

function accountsOf(entry: JsonObject, index: number): Place[] {
  const accounts = Object.entries(entry['mappings'] as Record<string, JsonObject>);
  return accounts.map(([name, fields]) => ({ fields, path: below(`[${index}].mappings`, name) }));
}

function destinationsOf({ fields, path }: Place): Place[] {
  const list = fields['destinations'] as JsonObject[];
  return list.map((one, index) => ({ fields: one, path: `${path}.destinations[${index}]` }));
}

/** Values that would make a deployment fail. */
function entryErrors(entry: JsonObject, index: number): Problem[] {
  const accounts = accountsOf(entry, index);
  const destinations = accounts.flatMap(destinationsOf);
  const places: Place[] = [{ fields: entry, path: `[${index}]` }, ...accounts, ...destinations];
  return [...places.flatMap(metaErrors), ...destinations.flatMap(tagErrors)];
}

function metaErrors({ fields, path }: Place): Problem[] {
  return isObject(fields['meta']) ? checkMeta(fields['meta'], below(path, 'meta')) : [];
}

function tagErrors({ fields, path }: Place): Problem[] {
  const tags = (fields['tags'] ?? null) as Record<string, string> | null;
  const wrong = releaseTags([{ tags }]).filter((tag) => !isTag(tag));
  return wrong.map((tag) => ({
    path: `${path}.tags`,
    message: `the server does not take the tag ${JSON.stringify(tag)}`,
  }));
}

function entryWarnings(entry: JsonObject, index: number): Problem[] {
  const path = `[${index}]`;
  const accounts = accountsOf(entry, index);
  const billing =
    isObject(entry['billing-code-config']) && Object.keys(entry['billing-code-config']).length > 0;
  return [
    ...unknownFields({ fields: entry, path }, Object.keys(ENTRY_FIELDS)),
    ...(entry['cloud'] === 'mender'
      ? []
      : [{ path: `${path}.cloud`, message: 'entries of other clouds than mender are skipped' }]),
    ...(billing ? [{ path: `${path}.billing-code-config`, message: 'it has no effect on Mender' }] : []),
    ...(accounts.length === 0 ? [{ path: `${path}.mappings`, message: 'there are no accounts' }] : []),
    ...accounts.flatMap(accountWarnings),
  ];
}

function accountWarnings(account: Place): Problem[] {
  const destinations = destinationsOf(account);
  const none = { path: `${account.path}.destinations`, message: 'there are no destinations' };
  return [
    ...unknownFields(account, Object.keys(ACCOUNT_FIELDS)),
    ...(destinations.length === 0 ? [none] : []),
    ...repeated(destinations),
    ...destinations.flatMap(destinationWarnings),
  ];
}

function destinationWarnings({ fields, path }: Place): Problem[] {
  const limits = ['restrict_major', 'restrict_minor'].filter((name) => (fields[name] ?? null) !== null);
  return [
    ...unknownFields({ fields, path }, Object.keys(DESTINATION_FIELDS)),
    ...limits.flatMap((name) => limitWarnings(name, fields, below(path, name))),
  ];
}

function limitWarnings(name: string, fields: JsonObject, path: string): Problem[] {
  const value = fields[name];
  if (fields['restrict_version'] !== true)
    return [{ path, message: 'without restrict_version: true it has no effect' }];
  if (typeof value === 'boolean') return [{ path, message: `${value} is taken for ${Number(value)}` }];
  return Number(value) < 1 ? [{ path, message: 'expected 1 or more' }] : [];
}

function unknownFields({ fields, path }: Place, known: readonly string[]): Problem[] {
  const unknown = Object.keys(fields).filter((name) => !known.includes(name));
  return unknown.map((name) => ({ path: below(path, name), message: 'an unknown field, which is ignored' }));
}

function repeated(destinations: readonly Place[]): Problem[] {
  const seen = new Set<string>();
  return destinations
    .filter(({ fields }) => {
      const key = JSON.stringify([fields['destination'], fields['architecture'] ?? '']);
      return seen.has(key) || !seen.add(key);
    })
    .map(({ path }) => ({ path, message: 'the destination and architecture are listed above already' }));
}

function twins(entries: readonly JsonObject[]): Problem[] {
  const seen = new Map<string, number>();
  return entries.flatMap(({ name, workflow, cloud }, index) => {
    const key = JSON.stringify([name, workflow, cloud]);
    const first = seen.get(key);
    if (first === undefined) seen.set(key, index);
    return first === undefined
      ? []
      : [{ path: `[${index}]`, message: `[${first}] has the same name, workflow and cloud, and is used` }];
  });
}
