import type { Descriptor } from './descriptor.ts';
import type { Digest } from './digest.ts';
import { digestOf } from './digest.ts';
import { OCI_INDEX, OCI_MANIFEST } from './mediaTypes.ts';

/**
 * The key of a file's name. https://github.com/opencontainers/image-spec/blob/main/annotations.md
 */
export const TITLE = 'org.opencontainers.image.title';
/** The key of the time when the content was made (RFC 3339). */
export const CREATED = 'org.opencontainers.image.created';

const EMPTY_BYTES = '{}';
/**
 * The config of what is not an image.
 * https://github.com/opencontainers/image-spec/blob/main/manifest.md#guidance-for-an-empty-descriptor
 */
export const EMPTY_CONFIG = {
  mediaType: 'application/vnd.oci.empty.v1+json',
  digest: digestOf(EMPTY_BYTES),
  size: EMPTY_BYTES.length,
  data: Buffer.from(EMPTY_BYTES).toString('base64'),
} as const;

/** The bytes that `EMPTY_CONFIG` describes. */
export function emptyConfig(): Buffer {
  return Buffer.from(EMPTY_BYTES);
}

/** A file that a registry keeps as an OCI artifact. */
export interface FileManifest {
  /** What kind of thing it is, as a media type. */
  artifactType: string;
  file: Pick<Descriptor, 'mediaType' | 'digest' | 'size'>;
  /** The name of the file. */
  title: string;
  annotations?: Readonly<Record<string, string>>;
  /** The manifest that this one is about. */
  subject?: Pick<Descriptor, 'mediaType' | 'digest' | 'size'>;
}

/**
 * Returns a manifest with one layer, which is the file. Equal input gives equal bytes. Pure.
 * https://github.com/opencontainers/image-spec/blob/main/manifest.md#guidelines-for-artifact-usage
 */
export function fileManifest({ artifactType, file, title, annotations, subject }: FileManifest): Buffer {
  const { mediaType, digest, size } = file;
  return jsonBytes({
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    artifactType,
    config: EMPTY_CONFIG,
    layers: [{ mediaType, digest, size, annotations: { [TITLE]: title } }],
    ...(subject === undefined ? {} : { subject }),
    ...(annotations === undefined ? {} : { annotations }),
  });
}

/** What an index says of a manifest that is about another one. */
export type ReferrerDescriptor = Pick<Descriptor, 'mediaType' | 'digest' | 'size'> & { artifactType: string };

/**
 * Returns an index of everything that is about one manifest, for registries without the API for it.
 * Pure. https://github.com/opencontainers/distribution-spec/blob/main/spec.md#referrers-tag-schema
 */
export function referrersIndex(manifests: readonly unknown[]): Buffer {
  return jsonBytes({ schemaVersion: 2, mediaType: OCI_INDEX, manifests });
}

/** Returns the tag of that index. Pure. */
export function referrersTag(subject: Digest): string {
  return subject.replace(':', '-');
}

function jsonBytes(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}
