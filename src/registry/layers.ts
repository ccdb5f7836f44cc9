import { UnsupportedError } from '../errors.ts';
import type { Layer } from '../oci/image.ts';
import { layersOf } from '../oci/layers.ts';
import type { Selected } from './select.ts';

/**
 * Returns the layers of an image, base first. `name` is the image's, for messages. Throws
 * UnsupportedError for layers that registries may not serve, and as `layersOf` of `oci/`.
 */
export function servedLayers({ manifest, config }: Selected, name: string): Layer[] {
  const foreign = manifest.layers.find(({ mediaType }) => /foreign|nondistributable/.test(mediaType));
  if (foreign === undefined) return layersOf(config.diffIDs, manifest.layers, name);
  throw new UnsupportedError(
    `${name}: layer ${foreign.digest} may not be distributed (${foreign.mediaType})`,
    { hint: 'build the image on a base without foreign layers' },
  );
}
