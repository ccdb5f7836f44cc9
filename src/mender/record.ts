import { array, custom, exactOptional, looseObject, minLength, pipe, safeParse, string } from 'valibot';
import type { Digest } from '../oci/digest.ts';
import { isDigest } from '../oci/digest.ts';

/** An image in the record of an artifact. */
export interface RecordedImage {
  /** Services that run the image, sorted. */
  services: string[];
  /** The name of the image on the devices. */
  ref: string;
  /** The name under which the image was found, if that differs from `ref`. */
  found?: string;
  /** The digest of its manifest at the registry. */
  manifestDigest?: Digest;
  configDigest: Digest;
  /** Base first. */
  diffIDs: Digest[];
}

/** What an artifact says about its images, so that the next one can be built against it. */
export interface ArtifactRecord {
  /** `os/arch[/variant]` */
  platform: string;
  images: RecordedImage[];
}

/**
 * The key of the record in the meta-data. Both update modules read only keys of their own. The
 * value is a text, because servers keep flat values as they are. No dots or dollars: those mean
 * something to the servers' database.
 */
export const RECORD_KEY = 'mender_docker_delta';

const digest = custom<Digest>((value) => typeof value === 'string' && isDigest(value));
const RECORD = looseObject({
  platform: string(),
  images: array(
    looseObject({
      services: pipe(array(string()), minLength(1)),
      ref: string(),
      found: exactOptional(string()),
      manifestDigest: exactOptional(digest),
      configDigest: digest,
      diffIDs: array(digest),
    }),
  ),
});

/** The part of an artifact's meta-data that holds the record; empty without a record. */
export function recordMetaData(record: ArtifactRecord | undefined): Record<string, string> {
  return record === undefined ? {} : { [RECORD_KEY]: JSON.stringify(record) };
}

/**
 * Returns the record in the meta-data of an artifact, as the file or a server gives it. Undefined
 * for artifacts of other tools and older versions, and for a record that is damaged.
 */
export function readRecord(metaData: Readonly<Record<string, unknown>> = {}): ArtifactRecord | undefined {
  const text = metaData[RECORD_KEY];
  if (typeof text !== 'string') return undefined;
  try {
    const result = safeParse(RECORD, JSON.parse(text));
    return result.success ? result.output : undefined;
  } catch {
    return undefined;
  }
}
