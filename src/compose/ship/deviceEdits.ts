import type { Edit } from './edits.ts';
import { runningDependencies } from '../read/check/services.ts';
import type { Mapping, Value } from '../read/yaml/value.ts';
import { asMapping, scalarText } from '../read/yaml/value.ts';

/** The values of `pull_policy` that work without a registry. */
const LOCAL_POLICIES = ['', 'missing', 'if_not_present', 'never'];

export interface DeviceEdits {
  edits: Edit[];
  warnings: string[];
}

/**
 * Returns how the shipped Compose file differs from the model (variables filled in), apart from
 * image names. Services of other profiles go, and so do `profiles` (a device runs `up` without
 * any), `build`, and a `pull_policy` that asks a registry.
 */
export function deviceEdits(model: Mapping, active: readonly string[]): DeviceEdits {
  const services = Object.entries(asMapping(model['services']));
  const dropped = services
    .filter(([name]) => !active.includes(name))
    .map(([name]): Edit => ({ at: ['services', name] }));
  const kept = services.filter(([name]) => active.includes(name));
  return {
    edits: [...dropped, ...kept.flatMap(([name, service]) => serviceEdits(name, asMapping(service), active))],
    warnings: kept
      .filter(([, service]) => pullsElsewhere(service))
      .map(([name, service]) => pullWarning(name, service)),
  };
}

function serviceEdits(name: string, service: Mapping, active: readonly string[]): Edit[] {
  const removed = ['profiles', 'build'].filter((key) => service[key] !== undefined);
  if (pullsElsewhere(service)) removed.push('pull_policy');
  const dependsOn = runningDependencies(service, active);
  return [
    ...removed.map((key): Edit => ({ at: ['services', name, key] })),
    ...(dependsOn === undefined ? [] : [{ at: ['services', name, 'depends_on'], value: dependsOn }]),
  ];
}

function pullsElsewhere(service: Value): boolean {
  return !LOCAL_POLICIES.includes(scalarText(asMapping(service)['pull_policy']));
}

function pullWarning(name: string, service: Value): string {
  const policy = scalarText(asMapping(service)['pull_policy']);
  return `services.${name}: pull_policy ${policy} is not shipped: the device takes the image from the artifact`;
}
