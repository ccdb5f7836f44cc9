import { IntegrityError, UnsupportedError } from '../errors.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { Layer } from '../oci/image.ts';
import type { Selected } from './select.ts';

/**
 * The layers of an image, base first. Throws UnsupportedError for layers that no registry may serve or that are no tar,
 * and IntegrityError when config and manifest do not fit. `name` is the image's, for messages.
 */
export function layersOf({ manifest, config }: Selected, name: string): Layer[] {
  if (manifest.layers.length !== config.diffIDs.length) {
    throw new IntegrityError(
      `${name}: the manifest has ${manifest.layers.length} layers, the config ${config.diffIDs.length}`,
    );
  }
  return config.diffIDs.map((diffID, position) => {
    const descriptor = manifest.layers[position];
    if (descriptor === undefined) throw new IntegrityError(`${name}: no layer for ${diffID}`);
    checkMediaType(descriptor, name);
    return { diffID, descriptor };
  });
}

function checkMediaType({ mediaType, digest }: Descriptor, name: string): void {
  if (/foreign|nondistributable/.test(mediaType)) {
    throw new UnsupportedError(`${name}: layer ${digest} may not be distributed (${mediaType})`, {
      hint: 'build the image on a base without foreign layers',
    });
  }
  const isTar = /\.tar([.+](gzip|zstd))?$/.test(mediaType) || mediaType === '';
  if (!isTar) throw new UnsupportedError(`${name}: layer ${digest} has an unknown form (${mediaType})`);
}
