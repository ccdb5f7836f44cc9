/**
 * What the management API answers, as far as this tool relies on it. Null is the same as a missing
 * field, because servers in Go write it for empty lists. Other fields are kept as they are.
 * https://docs.mender.io/api/
 */
import type { GenericSchema } from 'valibot';
import {
  array,
  boolean,
  check,
  looseObject,
  nullish,
  number,
  pipe,
  record,
  string,
  transform,
  union,
  unknown,
} from 'valibot';

/** A field that may be missing. */
function maybe<Schema extends GenericSchema>(schema: Schema) {
  return pipe(
    nullish(schema),
    transform((value) => value ?? undefined),
  );
}

/** valibot takes a list for an object. */
const notList = pipe(
  unknown(),
  check((value) => !Array.isArray(value), 'Object'),
);

const update = looseObject({
  metadata: maybe(pipe(notList, record(string(), unknown()))),
  /** The older form of the same. */
  meta_data: maybe(array(looseObject({ Key: string(), Value: unknown() }))),
  type_info: maybe(looseObject({ type: maybe(string()) })),
  files: maybe(
    array(looseObject({ name: maybe(string()), checksum: maybe(string()), size: maybe(number()) })),
  ),
});

export const artifactSchema = pipe(
  notList,
  looseObject({
    id: string(),
    name: string(),
    description: maybe(string()),
    device_types_compatible: nullish(array(string()), []),
    signed: maybe(boolean()),
    updates: maybe(array(update)),
    artifact_provides: maybe(record(string(), string())),
    artifact_depends: maybe(record(string(), array(string()))),
    clears_artifact_provides: maybe(array(string())),
    /** Bytes of the whole file. */
    size: maybe(number()),
    /** ISO 8601; empty if the server does not tell. */
    modified: nullish(string(), ''),
  }),
);

export const releaseSchema = pipe(
  notList,
  looseObject({
    name: string(),
    /** ISO 8601. */
    modified: maybe(string()),
    artifacts: maybe(array(artifactSchema)),
    tags: maybe(array(string())),
    notes: maybe(string()),
  }),
);

export const statisticsSchema = pipe(notList, record(string(), number()));

export const deploymentSchema = pipe(
  notList,
  looseObject({
    id: string(),
    name: string(),
    artifact_name: nullish(string(), ''),
    /** ISO 8601, like `finished`. */
    created: nullish(string(), ''),
    finished: maybe(string()),
    /** `scheduled`, `pending`, `inprogress` or `finished`. */
    status: string(),
    device_count: nullish(number(), 0),
    groups: maybe(array(string())),
    /** Some servers leave it out. */
    statistics: maybe(looseObject({ status: maybe(statisticsSchema) })),
  }),
);

export const deviceDeploymentSchema = pipe(
  notList,
  looseObject({
    id: string(),
    status: string(),
    device_type: maybe(string()),
    created: maybe(string()),
    finished: maybe(string()),
    substate: maybe(string()),
    /** Whether the device sent a log. */
    log: nullish(boolean(), false),
  }),
);

const attribute = looseObject({
  name: string(),
  scope: nullish(string(), 'inventory'),
  value: union([string(), number(), boolean(), array(union([string(), number()]))]),
});

export const deviceSchema = pipe(
  notList,
  looseObject({
    id: string(),
    attributes: nullish(array(attribute), []),
    /** ISO 8601: when the inventory was last written. */
    updated_ts: maybe(string()),
  }),
);

export const filterAttributeSchema = pipe(notList, looseObject({ name: string(), scope: string() }));

/** Bytes; a limit of 0 means no limit. */
export const storageSchema = looseObject({ limit: number(), usage: number() });

const uri = pipe(
  string(),
  check((text) => URL.canParse(text), 'a URL'),
);
export const linkSchema = looseObject({ uri });
export const uploadLinkSchema = looseObject({
  /** Also the id of the artifact that is to come. */
  id: string(),
  uri,
  header: maybe(record(string(), string())),
});
