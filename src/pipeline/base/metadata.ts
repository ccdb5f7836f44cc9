import type { ArtifactMetadata, ImageMetadata } from '../../cache/metadata.ts';
import { isLibraryReference } from '../../library/reference.ts';
import { formatReference } from '../../oci/reference.ts';
import type { NewImage } from '../images/services.ts';

/**
 * Returns what to remember of an artifact with these images. `sizes`: bytes by diffID, as far as
 * they are known. Pure.
 */
export function metadataOf(
  names: Pick<ArtifactMetadata, 'version' | 'artifactName' | 'module' | 'softwareFilesystem'>,
  images: readonly NewImage[],
  platform: string,
  sizes?: ReadonlyMap<string, number>,
): ArtifactMetadata {
  const services: ArtifactMetadata['services'] = {};
  for (const image of images) {
    for (const service of image.services) services[service] = { image: imageMetadata(image, sizes) };
  }
  return { ...names, platform, services };
}

function imageMetadata({ name, image }: NewImage, sizes?: ReadonlyMap<string, number>): ImageMetadata {
  const found = isLibraryReference(image.source) ? image.source : formatReference(image.reference);
  return {
    ref: formatReference(name),
    hash: image.configDigest,
    ...(found === formatReference(name) ? {} : { found }),
    ...(image.manifestDigest === undefined ? {} : { manifestDigest: image.manifestDigest }),
    layers: image.layers.map(({ diffID }) => {
      const size = sizes?.get(diffID);
      return size === undefined ? { diffID } : { diffID, size };
    }),
  };
}
