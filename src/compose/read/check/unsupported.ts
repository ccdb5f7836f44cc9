import { UnsupportedError } from '../../../errors.ts';
import type { Mapping } from '../yaml/value.ts';
import { asMapping } from '../yaml/value.ts';

/**
 * Throws UnsupportedError for an active service that a provider runs: an artifact only brings
 * images.
 */
export function refuseUnsupported(model: Mapping, active: readonly string[]): void {
  const services = asMapping(model['services']);
  for (const name of active) {
    const service = asMapping(services[name]);
    if (service['provider'] !== undefined && service['provider'] !== null) {
      throw new UnsupportedError(`services.${name} is run by a provider and not from an image`, {
        hint: 'give it a profile, so that the artifact leaves it out',
      });
    }
  }
}
