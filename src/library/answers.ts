import type { InferOutput } from 'valibot';
import { array, boolean, fallback, looseObject, nonEmpty, nullish, number, object, optional } from 'valibot';
import { pipe, record, string, transform, union, unknown } from 'valibot';

/** Schemas of what a container library answers. The names of the fields are those of its API. */

const ID = pipe(string(), nonEmpty());
const TEXT = fallback(optional(string()), undefined);
/** Some libraries write numbers as texts. */
const NUMBER = fallback(optional(union([number(), pipe(string(), transform(Number))])), undefined);

export const ENVELOPE = object({
  data: optional(unknown()),
  error: nullish(object({ message: TEXT })),
});

/** An answer whose content does not matter. */
export const ANYTHING = unknown();

export const ITEM = object({ id: ID });

/** A file in the library. */
export const IMAGE = looseObject({
  id: ID,
  /** `sha256.<hex>` of the file, or `sif.<uuid>`. Not an OCI digest. */
  hash: TEXT,
  /** Bytes. */
  size: NUMBER,
  /** False while its bytes are missing. */
  uploaded: fallback(optional(boolean()), undefined),
  arch: TEXT,
});
export type ImageAnswer = InferOutput<typeof IMAGE>;

const WORD = fallback(optional(string(), ''), '');
export const VERSION = nullish(object({ version: WORD, apiVersion: WORD }), {});

const NAMED = looseObject({ id: ID, name: TEXT });
const NAMED_LIST = nullish(array(NAMED), []);
const IMAGE_LIST = nullish(array(IMAGE), []);

export const SEARCH_RESULT = nullish(
  object({ entity: NAMED_LIST, collection: NAMED_LIST, container: NAMED_LIST, image: IMAGE_LIST }),
  {},
);

/** Ids of images by tag. */
export const TAGS = fallback(record(string(), string()), {});
/** The same, by architecture. */
export const TAGS_BY_ARCH = fallback(record(string(), TAGS), {});

/**
 * A user or an organisation, with the bytes that it stores and may store. A quota of 0 means no
 * limit.
 */
export const ENTITY = looseObject({ id: ID, name: TEXT, size: NUMBER, quota: NUMBER });

/** Bytes that an account may store, and stores. */
const QUOTA = object({ quotaTotal: NUMBER, quotaUsage: NUMBER });

/** What a library says after an upload. */
export const RECEIPT = nullish(looseObject({ containerUrl: TEXT, quota: optional(QUOTA) }));
export type UploadReceipt = InferOutput<typeof RECEIPT>;
