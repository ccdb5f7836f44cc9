import type { Digest } from './digest.ts';
import { isIndexType, isManifestType } from './mediaTypes.ts';
import type { Platform } from './platform.ts';

/**
 * What a manifest or index says of a blob.
 * https://github.com/opencontainers/image-spec/blob/main/descriptor.md
 */
export interface Descriptor {
  mediaType: string;
  /** Digest of the blob's bytes as stored. For a compressed layer this is not its diffID. */
  digest: Digest;
  /** Length of the blob in bytes, as stored. */
  size: number;
  platform?: Platform;
  /** Features that the host must offer, such as another layer format (`os.features`). */
  features?: string[];
  annotations?: Record<string, string>;
}

/**
 * False for entries of an index that are not an image for every host: manifests that attest to
 * another one (BuildKit provenance, SBOM), variants that need a feature of the host, and media
 * types that readers have to ignore.
 * https://github.com/opencontainers/image-spec/blob/main/image-index.md#image-index-property-descriptions
 */
export function mayLeadToImage({ mediaType, platform, features, annotations }: Descriptor): boolean {
  const attests = annotations?.['vnd.docker.reference.type'] === 'attestation-manifest';
  const needsFeature = features !== undefined && platform?.os === 'linux';
  if (attests || needsFeature || platform?.os === 'unknown') return false;
  return mediaType === '' || isIndexType(mediaType) || isManifestType(mediaType);
}
