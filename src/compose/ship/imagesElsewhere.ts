import { UnsupportedError } from '../../errors.ts';
import { parseMount } from '../read/shortSyntax.ts';
import type { Mapping } from '../read/yaml/value.ts';
import { asList, asMapping } from '../read/yaml/value.ts';

/**
 * Throws UnsupportedError if an active service mounts an image: an artifact carries the images of
 * services only, and a device has no registry.
 */
export function requireShippedImages(model: Mapping, active: ReadonlySet<string>): void {
  const services = asMapping(model['services']);
  for (const name of active) {
    const mounts = asList(asMapping(services[name])['volumes']).map(parseMount);
    const mounted = mounts.find(({ type }) => type === 'image');
    if (mounted === undefined) continue;
    throw new UnsupportedError(`services.${name}.volumes: image ${mounted.source ?? ''} can't be shipped`, {
      hint: 'an artifact carries the images of services only: copy the files into the image of the service',
    });
  }
}
