import type { Fault } from '../schema/validate.ts';
import type { Mapping, Value } from '../yaml/value.ts';
import { asList, asMapping, isMapping, scalarText } from '../yaml/value.ts';
import { portFault } from './ports.ts';

/** Lists in which Compose accepts nothing but strings. */
const TEXTS = [
  ...['annotations', 'cap_add', 'cap_drop', 'dns', 'dns_opt', 'dns_search', 'environment', 'labels', 'links'],
  ...['profiles', 'sysctls', 'tmpfs'],
];

/** Finds entries of a service that have the right type but can't be parsed. */
export function serviceFormFaults(name: string, service: Mapping): Fault[] {
  const check = (key: string, faultOf: (entry: Value) => string | undefined): Fault[] =>
    asList(service[key]).flatMap((entry, index) => {
      const message = isMapping(service[key]) ? undefined : faultOf(entry);
      return message === undefined ? [] : [{ path: ['services', name, key, String(index)], message }];
    });
  return [
    ...TEXTS.flatMap((key) => check(key, textFault)),
    ...check('ports', portFault),
    ...check('expose', exposeFault),
    ...check('volumes', mountFault),
    ...check('devices', deviceFault),
    ...check('extra_hosts', hostFault),
    ...check('configs', grantFault),
    ...check('secrets', grantFault),
    ...check('gpus', requestFault),
    ...reservedDevices(name, service),
  ];
}

function textFault(entry: Value): string | undefined {
  return typeof entry === 'string' ? undefined : `must be a string: ${scalarText(entry)}`;
}

function exposeFault(entry: Value): string | undefined {
  return typeof entry === 'number' && !Number.isInteger(entry) ? 'must be a whole number' : undefined;
}

function grantFault(entry: Value): string | undefined {
  return typeof entry === 'string' || isMapping(entry) ? undefined : 'must be a string or mapping';
}

function mountFault(entry: Value): string | undefined {
  if (isMapping(entry)) return longMountFault(entry);
  const text = scalarText(entry);
  if (text === '') return 'must not be empty';
  if (text.length <= 2) return undefined;
  const parts = text.replace(/(^|:)([A-Za-z]):/g, '$1$2\0').split(':');
  if (parts.includes('')) return `has an empty part between colons: ${text}`;
  return parts.length > 3 ? `has too many colons: ${text}` : undefined;
}

function longMountFault({ type, source, target }: Mapping): string | undefined {
  if (typeof target !== 'string') return 'needs the attribute target';
  return type === 'bind' && scalarText(source) === '' ? 'needs the attribute source' : undefined;
}

function deviceFault(entry: Value): string | undefined {
  if (isMapping(entry)) {
    return typeof entry['target'] === 'string' ? undefined : 'needs the attribute target';
  }
  return scalarText(entry).split(':').length > 3 ? `has too many colons: ${scalarText(entry)}` : undefined;
}

function hostFault(entry: Value): string | undefined {
  return /[=:]/.test(scalarText(entry)) ? undefined : `must be HOST=IP: ${scalarText(entry)}`;
}

function requestFault(entry: Value): string | undefined {
  const request = asMapping(entry);
  const hasBoth = request['count'] !== undefined && request['device_ids'] !== undefined;
  return hasBoth ? 'has both count and device_ids' : undefined;
}

function reservedDevices(name: string, service: Mapping): Fault[] {
  const at = ['deploy', 'resources', 'reservations', 'devices'];
  const devices = at.reduce<Value | undefined>((value, key) => asMapping(value)[key], service);
  return asList(devices).flatMap((entry, index) => {
    const message = requestFault(entry);
    return message === undefined ? [] : [{ path: ['services', name, ...at, String(index)], message }];
  });
}
