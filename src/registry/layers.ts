import { UnsupportedError } from '../errors.ts';
import type { Layer } from '../oci/image.ts';
import { checkForms, pairLayers } from '../oci/layers.ts';
import type { Selected } from './select.ts';

/**
 * Returns the layers of an image, base first. `name` is the image's, for messages. Throws
 * UnsupportedError for layers that registries may not serve or that are not tars, and
 * IntegrityError if config and manifest do not fit.
 */
export function layersOf({ manifest, config }: Selected, name: string): Layer[] {
  const { layers } = manifest;
  const foreign = layers.find(({ mediaType }) => /foreign|nondistributable/.test(mediaType));
  if (foreign !== undefined) {
    throw new UnsupportedError(
      `${name}: layer ${foreign.digest} may not be distributed (${foreign.mediaType})`,
      { hint: 'build the image on a base without foreign layers' },
    );
  }
  checkForms(layers, name);
  return pairLayers(config.diffIDs, layers, name).map(([diffID, descriptor]) => ({ diffID, descriptor }));
}
