import { UsageError } from '../../../errors.ts';
import { parseMount } from '../shortSyntax.ts';
import type { Mapping, Value } from '../yaml/value.ts';
import { isMapping, asList, asMapping, scalarText } from '../yaml/value.ts';

/** The sections of what services use by name. */
export const RESOURCES = ['volumes', 'networks', 'configs', 'secrets', 'models'] as const;

/**
 * Throws UsageError if an active service uses a volume, network, config, secret or model that is
 * not defined, as Compose does. The variables of the model are filled in.
 */
export function checkResources(model: Mapping, active: readonly string[]): void {
  for (const name of active) {
    const service = asMapping(asMapping(model['services'])[name]);
    for (const section of RESOURCES) {
      const needed = resourcesOf(service, section).filter((used) => !isDrive(service, section, used));
      const missing = needed.find((used) => !isDefined(model, section, used));
      if (missing !== undefined)
        throw new UsageError(`services.${name}.${section}: ${missing} is not defined`, {
          hint: `define it in the section ${section} at the top level, or check the name`,
        });
    }
  }
}

function isDefined(model: Mapping, section: string, name: string): boolean {
  return Object.hasOwn(asMapping(model[section]), name) || (section === 'networks' && name === 'default');
}

/** The names in a section of resources that the service uses. The variables are filled in. */
export function resourcesOf(service: Mapping, section: (typeof RESOURCES)[number]): string[] {
  const value = service[section];
  if (section === 'volumes') return asList(value).flatMap(volumeOf);
  if (isMapping(value)) return Object.keys(value);
  return asList(value).map((entry) => scalarText(isMapping(entry) ? entry['source'] : entry));
}

function volumeOf(entry: Value): string[] {
  const { type, source = '' } = parseMount(entry);
  return type === 'volume' && source !== '' ? [source] : [];
}

/** In the short form Compose takes a single letter for a Windows drive, not for a volume. */
function isDrive(service: Mapping, section: string, name: string): boolean {
  const isLong = (entry: Value) => isMapping(entry) && scalarText(entry['source']) === name;
  return section === 'volumes' && /^[A-Za-z]$/.test(name) && !asList(service[section]).some(isLong);
}
