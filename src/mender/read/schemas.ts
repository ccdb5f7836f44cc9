/**
 * The JSON files of an artifact, as strict about fields and types as mender-artifact.
 * https://github.com/mendersoftware/mender-artifact/blob/master/Documentation/artifact-format-v3.md
 */
import {
  array,
  check,
  literal,
  looseObject,
  minLength,
  nonEmpty,
  nullish,
  number,
  objectWithRest,
  optional,
  pipe,
  record,
  strictObject,
  string,
  unknown,
  union,
} from 'valibot';

/** For valibot a list is an object. */
const notList = pipe(
  unknown(),
  check((value) => !Array.isArray(value), 'Object'),
);
const name = pipe(string(), nonEmpty());
const names = array(string());

/** `version` */
export const versionSchema = strictObject({ format: literal('mender'), version: number() });

/** `header-info` */
export const headerInfoSchema = strictObject({
  /** The type is null where the artifact has no update module. */
  payloads: array(strictObject({ type: nullish(string()) })),
  artifact_provides: strictObject({ artifact_name: name, artifact_group: optional(string()) }),
  artifact_depends: optional(
    objectWithRest(
      {
        device_type: pipe(names, minLength(1)),
        artifact_name: optional(names),
        artifact_group: optional(names),
      },
      union([string(), names]),
    ),
  ),
});

/** `headers/NNNN/type-info` */
export const typeInfoSchema = pipe(
  notList,
  looseObject({
    type: nullish(string()),
    artifact_depends: nullish(pipe(notList, record(string(), union([string(), names])))),
    artifact_provides: nullish(pipe(notList, record(string(), string()))),
    clears_artifact_provides: nullish(names),
  }),
);

/** `headers/NNNN/meta-data` */
export const metaDataSchema = pipe(notList, record(string(), unknown()));
