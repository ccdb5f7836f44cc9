import type { GenericSchema } from 'valibot';
import { array, custom, exactOptional, looseObject, minValue, nullable, number, pipe } from 'valibot';
import { safeInteger, string } from 'valibot';
import type { Digest } from '../oci/digest.ts';
import { isDigest } from '../oci/digest.ts';
import type { ResolvedImage } from '../oci/image.ts';

/** A schema of JSON from outside that gives a `T`. */
export type Schema<T> = GenericSchema<unknown, T>;

/** A `sha256:` digest. */
export const digest = custom<Digest>((value) => typeof value === 'string' && isDigest(value));
/** A number of bytes. */
export const bytes = pipe(number(), safeInteger(), minValue(0));

/** An image that was looked up. */
export const RESOLVED_IMAGE: Schema<ResolvedImage> = looseObject({
  reference: looseObject({
    registry: string(),
    repository: string(),
    tag: exactOptional(string()),
    digest: exactOptional(digest),
  }),
  platform: looseObject({ os: string(), architecture: string(), variant: exactOptional(string()) }),
  configDigest: digest,
  manifestDigest: exactOptional(digest),
  layers: array(
    looseObject({
      diffID: digest,
      descriptor: exactOptional(looseObject({ mediaType: string(), digest, size: bytes })),
    }),
  ),
  source: string(),
});

/** The digest of a delta; null if no delta can be made of the two layers. */
export const DELTA_RECORD: Schema<{ digest: Digest | null }> = looseObject({ digest: nullable(digest) });
