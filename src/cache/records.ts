import type { GenericSchema } from 'valibot';
import {
  array,
  boolean,
  custom,
  exactOptional,
  looseObject,
  minValue,
  nullable,
  number,
  pipe,
} from 'valibot';
import { safeInteger, string } from 'valibot';
import type { Digest } from '../oci/digest.ts';
import { isDigest } from '../oci/digest.ts';
import type { ResolvedImage } from '../oci/image.ts';
import type { GzipFile } from '../tar/tar.ts';
import { readNote, writeDocument } from './documents.ts';

/** A schema of JSON from outside that gives a `T`. */
export type Schema<T> = GenericSchema<unknown, T>;

/** A `sha256:` digest. */
export const digest = custom<Digest>((value) => typeof value === 'string' && isDigest(value));
/** A number of bytes. */
export const bytes = pipe(number(), safeInteger(), minValue(0));

const IMAGE = {
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
};

/** An image that was looked up. */
export const RESOLVED_IMAGE: Schema<ResolvedImage> = looseObject(IMAGE);

/**
 * An image with the digest of the manifest or index, and the platform, that it was looked up for.
 */
export const IMAGE_NOTE: Schema<ResolvedImage & { of?: Digest; for?: string }> = looseObject({
  ...IMAGE,
  of: exactOptional(digest),
  for: exactOptional(string()),
});

/** What the cache knows of a delta, apart from its bytes. */
export interface DeltaRecord {
  /** Null if no delta can be made of the two layers. */
  digest: Digest | null;
  /** True if it was never decoded here: the signature of another machine vouches for its digest. */
  isUnproved?: boolean;
}

export const DELTA_RECORD: Schema<DeltaRecord> = looseObject({
  digest: nullable(digest),
  isUnproved: exactOptional(boolean()),
});

/** What the cache knows of a layer, apart from its bytes. */
export interface LayerRecord {
  /** Bytes of the uncompressed tar. */
  size: number;
  /** The gzip file `<path>.gz` that the layer arrived in. */
  gzipped?: Pick<GzipFile, 'size' | 'digest'>;
}

const LAYER_RECORD: Schema<LayerRecord> = looseObject({
  size: bytes,
  gzipped: exactOptional(looseObject({ size: bytes, digest })),
});

/** Returns the record of the layer at `path`, or undefined if it is missing or damaged. */
export function readLayerRecord(path: string): Promise<LayerRecord | undefined> {
  return readNote(`${path}.json`, LAYER_RECORD);
}

/** Throws UsageError if the disk takes no more. */
export function writeLayerRecord(path: string, record: LayerRecord): Promise<void> {
  return writeDocument(`${path}.json`, record);
}
