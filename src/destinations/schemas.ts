/**
 * Maps and the objects of a server of maps, as StArMap defines them. Null is the same as a missing
 * field, and unknown fields are ignored.
 */
import type { GenericSchema, InferOutput, ObjectEntries } from 'valibot';
import {
  array,
  boolean,
  custom,
  looseObject,
  minLength,
  nullish,
  object,
  optional,
  pipe,
  record,
  string,
  transform,
} from 'valibot';
import { mergeMeta } from './mergeMeta.ts';
import type { Destination, Entry, Mapping, Policy } from './model.ts';
import { WORKFLOWS } from './model.ts';
import type { JsonObject } from './problems.ts';
import { expected, isObject } from './problems.ts';

const text = string(expected('a text'));
const truth = boolean(expected('true or false'));
const plainObject = custom<JsonObject>(isObject, expected('an object'));
/** Whole numbers; StArMap takes true for 1. */
export const whole = pipe(
  custom<number | boolean>(
    (value) => Number.isSafeInteger(value) || typeof value === 'boolean',
    expected('a whole number'),
  ),
  transform(Number),
);
const texts = pipe(plainObject, record(string(), text));

/** A field that must be there: a missing one is checked as null. */
function required<Schema extends GenericSchema>(schema: Schema) {
  return optional(schema, null as never);
}

function fieldsOf<const Fields extends ObjectEntries>(fields: Fields) {
  return pipe(plainObject, object(fields));
}

function listOf<Item extends GenericSchema>(item: Item) {
  return required(array(item, expected('a list')));
}

function listOfSome<Item extends GenericSchema>(item: Item) {
  const list = array(item, expected('a list'));
  return required(pipe(list, minLength(1, 'expected at least 1, found an empty list')));
}

function valuesOf<Value extends GenericSchema>(value: Value) {
  return pipe(plainObject, record(string(), value));
}

const workflow = required(
  pipe(
    custom<keyof typeof WORKFLOWS>(
      (value) => typeof value === 'string' && Object.hasOwn(WORKFLOWS, value),
      expected('stratosphere (release) or community (development)'),
    ),
    transform((name) => WORKFLOWS[name]),
  ),
);

export const DESTINATION_FIELDS = {
  id: nullish(text, null),
  architecture: nullish(text, null),
  destination: required(text),
  overwrite: required(truth),
  restrict_version: required(truth),
  restrict_major: nullish(whole, null),
  restrict_minor: nullish(whole, null),
  provider: nullish(text, null),
  tags: nullish(texts, null),
  meta: nullish(plainObject, null),
};

/** One destination. */
export const destinationSchema: GenericSchema<unknown, Destination> = fieldsOf(DESTINATION_FIELDS);

export const ACCOUNT_FIELDS = {
  provider: nullish(text, null),
  meta: nullish(plainObject, null),
  destinations: listOf(destinationSchema),
};

const IMAGE_TYPES: readonly unknown[] = ['access', 'hourly', 'marketplace'];
const billing = pipe(
  plainObject,
  looseObject({
    image_name: nullish(text),
    name: nullish(text),
    image_types: nullish(
      custom<unknown[]>(
        (value) => Array.isArray(value) && value.every((type) => IMAGE_TYPES.includes(type)),
        ({ input }) => `expected a list of ${IMAGE_TYPES.join(', ')}, found ${JSON.stringify(input)}`,
      ),
    ),
    codes: nullish(
      custom<string[]>(
        (value) => Array.isArray(value) && value.every((code) => typeof code === 'string'),
        expected('a list of texts'),
      ),
    ),
  }),
);

export const ENTRY_FIELDS = {
  name: required(text),
  cloud: required(text),
  meta: nullish(plainObject, null),
  workflow,
  mappings: required(valuesOf(fieldsOf(ACCOUNT_FIELDS))),
  'billing-code-config': nullish(valuesOf(billing)),
};

const entrySchema = fieldsOf(ENTRY_FIELDS);

/** A whole map: a list of entries, each with its meta merged and its providers handed down. */
export const mapSchema: GenericSchema<unknown, Entry[]> = array(
  pipe(entrySchema, transform(entryOf)),
  expected('a list'),
);

/** A mapping of the server. */
export const mappingSchema: GenericSchema<unknown, Mapping> = fieldsOf({
  ...ACCOUNT_FIELDS,
  id: nullish(text, null),
  marketplace_account: required(text),
  version_fnmatch: nullish(text, null),
  version_regexmatch: nullish(text, null),
  destinations: listOfSome(destinationSchema),
});

/** A policy of the server. */
export const policySchema: GenericSchema<unknown, Policy> = fieldsOf({
  id: nullish(text, null),
  name: required(text),
  meta: nullish(plainObject, null),
  workflow,
  mappings: listOfSome(mappingSchema),
});

function entryOf({
  name,
  cloud,
  workflow: flow,
  meta,
  mappings,
  ...rest
}: InferOutput<typeof entrySchema>): Entry {
  const accounts = Object.entries(mappings).map(([account, { provider, meta: own, destinations }]) => {
    const merged = mergeMeta(meta ?? {}, own ?? {});
    const complete = destinations.map((one) => ({
      ...one,
      meta: mergeMeta(merged, one.meta ?? {}),
      provider,
    }));
    return [account, { provider, destinations: complete }] as const;
  });
  return {
    name,
    workflow: flow,
    cloud,
    accounts: Object.fromEntries(accounts),
    billing_code_config: rest['billing-code-config'] ?? {},
  };
}
