import type { FieldRules, JsonObject, Problem } from './fieldRules.ts';
import { below, checkFields, isObject, unexpected } from './fieldRules.ts';
import { WORKFLOWS } from './model.ts';

export const DESTINATION_FIELDS: FieldRules = {
  id: { kind: 'text' },
  architecture: { kind: 'text' },
  destination: { kind: 'text', required: true },
  overwrite: { kind: 'truth', required: true },
  restrict_version: { kind: 'truth', required: true },
  restrict_major: { kind: 'whole' },
  restrict_minor: { kind: 'whole' },
  ami_version_template: { kind: 'text' },
  provider: { kind: 'text' },
  tags: { kind: 'texts' },
  meta: { kind: 'object' },
  vhd_check_base_sas_only: { kind: 'truth' },
};
export const ACCOUNT_FIELDS: FieldRules = { provider: { kind: 'text' }, meta: { kind: 'object' } };
export const ENTRY_FIELDS: FieldRules = {
  name: { kind: 'text', required: true },
  cloud: { kind: 'text', required: true },
  meta: { kind: 'object' },
};
const MAPPING_FIELDS: FieldRules = {
  ...ACCOUNT_FIELDS,
  id: { kind: 'text' },
  marketplace_account: { kind: 'text', required: true },
  version_fnmatch: { kind: 'text' },
  version_regexmatch: { kind: 'text' },
};
const POLICY_FIELDS: FieldRules = {
  id: { kind: 'text' },
  name: { kind: 'text', required: true },
  meta: { kind: 'object' },
};
const BILLING_FIELDS: FieldRules = { image_name: { kind: 'text' }, name: { kind: 'text' } };
const IMAGE_TYPES: readonly unknown[] = ['access', 'hourly', 'marketplace'];

type Check = (value: JsonObject, path: string) => Problem[];

/** What is wrong with a whole map: a list of entries. */
export function checkMap(value: unknown): Problem[] {
  return eachOf(value, '', 0, checkEntry);
}

/** What is wrong with one destination. */
export function checkDestination(value: unknown, path = ''): Problem[] {
  return anObject(value, path, (fields) => checkFields(fields, path, DESTINATION_FIELDS));
}

/** What is wrong with a mapping of the server; it has at least one destination. */
export function checkMapping(value: unknown, path = ''): Problem[] {
  return anObject(value, path, (fields) => [
    ...checkFields(fields, path, MAPPING_FIELDS),
    ...eachOf(fields['destinations'], below(path, 'destinations'), 1, checkDestination),
  ]);
}

/** What is wrong with a policy of the server; it has at least one mapping. */
export function checkPolicy(value: unknown): Problem[] {
  return anObject(value, '', (fields) => [
    ...checkFields(fields, '', POLICY_FIELDS),
    ...checkWorkflow(fields, ''),
    ...eachOf(fields['mappings'], 'mappings', 1, checkMapping),
  ]);
}

function checkEntry(fields: JsonObject, path: string): Problem[] {
  const [mappings, billing] = [fields['mappings'], fields['billing-code-config'] ?? {}];
  return [
    ...checkFields(fields, path, ENTRY_FIELDS),
    ...checkWorkflow(fields, path),
    ...valuesOf(mappings, below(path, 'mappings'), checkAccount),
    ...valuesOf(billing, below(path, 'billing-code-config'), checkBilling),
  ];
}

function checkAccount(fields: JsonObject, path: string): Problem[] {
  const destinations = eachOf(fields['destinations'], below(path, 'destinations'), 0, checkDestination);
  return [...checkFields(fields, path, ACCOUNT_FIELDS), ...destinations];
}

function checkBilling(fields: JsonObject, path: string): Problem[] {
  const [types, codes] = [fields['image_types'] ?? [], fields['codes'] ?? []];
  const areTypes = Array.isArray(types) && types.every((type) => IMAGE_TYPES.includes(type));
  const areTexts = Array.isArray(codes) && codes.every((code) => typeof code === 'string');
  const wrongTypes = `expected a list of ${IMAGE_TYPES.join(', ')}, found ${JSON.stringify(types)}`;
  return [
    ...checkFields(fields, path, BILLING_FIELDS),
    ...(areTypes ? [] : [{ path: below(path, 'image_types'), message: wrongTypes }]),
    ...(areTexts ? [] : [unexpected(below(path, 'codes'), 'a list of texts', codes)]),
  ];
}

function checkWorkflow(fields: JsonObject, path: string): Problem[] {
  const workflow = fields['workflow'];
  if (typeof workflow === 'string' && Object.hasOwn(WORKFLOWS, workflow)) return [];
  return [unexpected(below(path, 'workflow'), 'stratosphere (release) or community (development)', workflow)];
}

function anObject(value: unknown, path: string, check: (fields: JsonObject) => Problem[]): Problem[] {
  return isObject(value) ? check(value) : [unexpected(path, 'an object', value)];
}

function eachOf(value: unknown, path: string, least: number, check: Check): Problem[] {
  if (!Array.isArray(value)) return [unexpected(path, 'a list', value)];
  if (value.length < least) return [{ path, message: `expected at least ${least}, found an empty list` }];
  return value.flatMap((one: unknown, index) => {
    const at = `${path}[${index}]`;
    return anObject(one, at, (fields) => check(fields, at));
  });
}

function valuesOf(value: unknown, path: string, check: Check): Problem[] {
  return anObject(value, path, (fields) =>
    Object.entries(fields).flatMap(([name, one]) => {
      const at = below(path, name);
      return anObject(one, at, (inner) => check(inner, at));
    }),
  );
}
