import type { Edit } from './edits.ts';
import { usedResources } from './usedResources.ts';
import { RESOURCES } from '../read/check/resources.ts';
import { runningDependencies } from '../read/check/services.ts';
import type { Mapping, Value } from '../read/yaml/value.ts';
import { asMapping, scalarText } from '../read/yaml/value.ts';

/** The values of `pull_policy` that work without a registry. */
const LOCAL_POLICIES = ['', 'missing', 'if_not_present', 'never'];

/** Attributes of a service that only a workstation or a registry gives a meaning. */
export const WORKSTATION_ATTRIBUTES = ['profiles', 'build', 'develop', 'pull_refresh_after'];

export interface DeviceEdits {
  edits: Edit[];
  warnings: string[];
}

/**
 * Returns how the shipped Compose file differs from the model (variables filled in), apart from
 * image names. These do not ship: services of other profiles, and `profiles` (a device runs `up`
 * without any); networks, volumes, configs, secrets and models that no shipped service uses;
 * `build`, `develop` and all `x-*`; and a `pull_policy` that asks a registry.
 */
export function deviceEdits(model: Mapping, active: ReadonlySet<string>): DeviceEdits {
  const services = Object.entries(asMapping(model['services'])).filter(([name]) => active.has(name));
  const running = [...active];
  return {
    edits: [
      ...extensions(model, []),
      ...unusedEntries(model, active),
      ...RESOURCES.flatMap((section) => entryExtensions(model, section)),
      ...services.flatMap(([name, service]) => serviceEdits(name, asMapping(service), running)),
    ],
    warnings: services
      .filter(([, service]) => asksRegistry(service))
      .map(([name, service]) => pullWarning(name, service)),
  };
}

/** Removes the `x-*` keys of the mapping. Compose gives them to nobody. */
function extensions(mapping: Mapping, at: readonly string[]): Edit[] {
  const keys = Object.keys(mapping).filter((key) => key.startsWith('x-'));
  return keys.map((key) => ({ at: [...at, key] }));
}

function entryExtensions(model: Mapping, section: string): Edit[] {
  const entries = Object.entries(asMapping(model[section]));
  return entries.flatMap(([name, entry]) => extensions(asMapping(entry), [section, name]));
}

/** Removes services that do not run, and resources that no running service uses. */
function unusedEntries(model: Mapping, active: ReadonlySet<string>): Edit[] {
  const used = new Map<string, ReadonlySet<string>>([['services', active], ...usedResources(model, active)]);
  return [...used].flatMap(([section, names]) => {
    const entries = Object.keys(asMapping(model[section]));
    const unused = entries.filter((name) => !names.has(name));
    // Compose allows an empty section, but it does nothing.
    if (unused.length === entries.length) return entries.length === 0 ? [] : [{ at: [section] }];
    return unused.map((name) => ({ at: [section, name] }));
  });
}

function serviceEdits(name: string, service: Mapping, running: readonly string[]): Edit[] {
  const at = ['services', name];
  const removed = WORKSTATION_ATTRIBUTES.filter((key) => service[key] !== undefined);
  if (asksRegistry(service)) removed.push('pull_policy');
  const dependsOn = runningDependencies(service, running);
  return [
    ...extensions(service, at),
    ...removed.map((key): Edit => ({ at: [...at, key] })),
    ...(dependsOn === undefined ? [] : [{ at: [...at, 'depends_on'], value: dependsOn }]),
  ];
}

/** True if the service has a `pull_policy` with which Compose asks a registry. */
export function asksRegistry(service: Value): boolean {
  return !LOCAL_POLICIES.includes(scalarText(asMapping(service)['pull_policy']));
}

function pullWarning(name: string, service: Value): string {
  const policy = scalarText(asMapping(service)['pull_policy']);
  return `services.${name}: pull_policy ${policy} is not shipped: the device takes the image from the artifact`;
}

/** Returns whether a place (section, entry, attribute) is in the Compose file of the device. */
export function shippedPlaces(
  model: Mapping,
  active: ReadonlySet<string>,
): (at: readonly string[]) => boolean {
  const used = usedResources(model, active);
  return ([section = '', entry = '', attribute = '']) => {
    const isDefined = Object.hasOwn(asMapping(model[section]), entry);
    if (section !== 'services') return used.get(section)?.has(entry) ?? false;
    // A service of a file that is only extended has another name in the model, if it ships.
    if (isDefined && !active.has(entry)) return false;
    return (
      attribute !== 'image' && !attribute.startsWith('x-') && !WORKSTATION_ATTRIBUTES.includes(attribute)
    );
  };
}
