/**
 * Media types of images: https://github.com/opencontainers/image-spec/blob/main/media-types.md and
 * Docker's schema 2.
 */

export const OCI_INDEX = 'application/vnd.oci.image.index.v1+json';
export const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
export const OCI_CONFIG = 'application/vnd.oci.image.config.v1+json';
export const OCI_LAYER_TAR = 'application/vnd.oci.image.layer.v1.tar';
export const DOCKER_LIST = 'application/vnd.docker.distribution.manifest.list.v2+json';
export const DOCKER_MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json';

/** True for an OCI index or a Docker manifest list. */
export function isIndexType(mediaType: string): boolean {
  return mediaType === OCI_INDEX || mediaType === DOCKER_LIST;
}

/** True for an OCI or Docker image manifest. */
export function isManifestType(mediaType: string): boolean {
  return mediaType === OCI_MANIFEST || mediaType === DOCKER_MANIFEST;
}

const CONFIGS: ReadonlySet<string> = new Set([
  OCI_CONFIG,
  'application/vnd.docker.container.image.v1+json',
  // Some old registries and tools store configs with these.
  'application/octet-stream',
  '',
]);

/** True for the config of an OCI or Docker image. */
export function isConfigType(mediaType: string): boolean {
  return CONFIGS.has(mediaType);
}
