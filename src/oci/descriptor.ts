import type { Digest } from './digest.ts';
import { isIndexType, isManifestType } from './mediaTypes.ts';
import type { Platform } from './platform.ts';

/** What a manifest says of a blob. https://github.com/opencontainers/image-spec/blob/main/descriptor.md */
export interface Descriptor {
  mediaType: string;
  /** Digest of the blob's bytes as stored: for a compressed layer this is not its diffID. */
  digest: Digest;
  /** Length of the blob in bytes, as stored. */
  size: number;
  platform?: Platform;
  annotations?: Record<string, string>;
}

/**
 * False for what an index lists beside its images: manifests that attest to another one (BuildKit provenance, SBOM), and
 * media types that readers have to pass over.
 * https://github.com/opencontainers/image-spec/blob/main/image-index.md#image-index-property-descriptions
 */
export function mayLeadToImage({ mediaType, platform, annotations }: Descriptor): boolean {
  const attests = annotations?.['vnd.docker.reference.type'] === 'attestation-manifest';
  if (attests || platform?.os === 'unknown') return false;
  return mediaType === '' || isIndexType(mediaType) || isManifestType(mediaType);
}
