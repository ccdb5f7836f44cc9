import type { Fault } from '../schema/validate.ts';
import type { Mapping } from '../yaml/value.ts';
import { asMapping, isMapping } from '../yaml/value.ts';

/** Finds volumes, configs and secrets at the top level whose attributes exclude each other. */
export function sectionFaults(model: Mapping): Fault[] {
  return [
    ...each(model, 'volumes', externalFault),
    ...['volumes', 'networks', 'configs', 'secrets'].flatMap((section) => each(model, section, nameFault)),
    ...each(model, 'configs', (config) => contentFault(config, ['file', 'environment', 'content'])),
    ...each(model, 'secrets', (secret) => contentFault(secret, ['file', 'environment'])),
    ...each(model, 'secrets', emptySecret),
  ];
}

function each(model: Mapping, section: string, faultOf: (entry: Mapping) => string | undefined): Fault[] {
  return Object.entries(asMapping(model[section])).flatMap(([name, entry]) => {
    const message = faultOf(asMapping(entry));
    return message === undefined ? [] : [{ path: [section, name], message }];
  });
}

function externalFault(volume: Mapping): string | undefined {
  const { external } = volume;
  if (external !== true && !isMapping(external)) return undefined;
  const other = Object.keys(volume).find((key) => !['name', 'external'].includes(key) && !/^x-/.test(key));
  return other === undefined ? undefined : `is external, so it must not have the attribute ${other}`;
}

function nameFault({ external, name }: Mapping): string | undefined {
  const other = asMapping(external)['name'];
  if (other === undefined || name === undefined || name === other) return undefined;
  return 'has both name and external.name';
}

function contentFault(entry: Mapping, keys: readonly string[]): string | undefined {
  const used = keys.filter((key) => entry[key] !== undefined);
  if (used.length > 1) return `has more than one of ${keys.join(', ')}`;
  if (used.length === 1 || entry['driver'] !== undefined || entry['external'] !== undefined) return undefined;
  return `needs one of ${keys.join(', ')}`;
}

function emptySecret({ external, file, environment }: Mapping): string | undefined {
  if (external !== false || file !== undefined || environment !== undefined) return undefined;
  return 'needs one of file, environment';
}
