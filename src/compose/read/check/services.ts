import { UsageError } from '../../../errors.ts';
import type { Mapping, Value } from '../yaml/value.ts';
import { isMapping, asList, asMapping, scalarText } from '../yaml/value.ts';

/**
 * The names of the services that run: those without or with an enabled profile. `*` enables all.
 */
export function activeServices(model: Mapping, profiles: readonly string[]): string[] {
  const isActive = ([, service]: [string, Value]) => {
    const own = asList(asMapping(service)['profiles']).map(scalarText);
    return own.length === 0 || profiles.includes('*') || own.some((profile) => profiles.includes(profile));
  };
  return Object.entries(asMapping(model['services']))
    .filter(isActive)
    .map(([name]) => name);
}

/**
 * Throws UsageError if an active service has neither image nor build, needs a service that does not
 * run, or depends on itself through others. The variables of the model are filled in.
 */
export function checkServices(model: Mapping, active: readonly string[]): void {
  const services = asMapping(model['services']);
  const running = new Set(active);
  for (const name of active) {
    const service = asMapping(services[name]);
    checkImage(name, service);
    checkNetworks(name, service);
    for (const needed of neededBy(service)) {
      if (running.has(needed)) continue;
      const isKnown = Object.hasOwn(services, needed);
      const why = isKnown ? 'is in no enabled profile' : 'does not exist';
      throw new UsageError(`services.${name} needs ${needed}, which ${why}`, {
        hint: ({ option }) => (isKnown ? `enable it with ${option('profile')}` : 'check the name'),
      });
    }
  }
  refuseCycles(services, active);
}

/**
 * Throws UsageError if services depend on each other. Follows dependencies that are not required as
 * well, like Compose. Not recursive, as thousands of services may form a chain.
 */
function refuseCycles(services: Mapping, active: readonly string[]): void {
  const settled = new Set<string>();
  const way = new Set<string>();
  for (const first of active) {
    const steps = [{ name: first, needed: neededFrom(services, first) }];
    way.add(first);
    for (let step = steps.at(-1); step !== undefined; step = steps.at(-1)) {
      const next = step.needed.pop();
      if (next === undefined) {
        way.delete(step.name);
        settled.add(step.name);
        steps.pop();
      } else if (way.has(next)) throw cycleError([...way, next]);
      else if (!settled.has(next)) {
        way.add(next);
        steps.push({ name: next, needed: neededFrom(services, next) });
      }
    }
  }
}

/** The services that one needs, the first one last. */
function neededFrom(services: Mapping, name: string): string[] {
  const service = asMapping(services[name]);
  return [...neededBy(service), ...dependencies(service).map((one) => one.name)].reverse();
}

function cycleError(way: readonly string[]): UsageError {
  return new UsageError(`services depend on each other: ${way.join(' needs ')}`, {
    hint: 'remove one of these dependencies',
  });
}

function checkNetworks(name: string, service: Mapping): void {
  const { networks, network_mode: mode } = service;
  const isConnected =
    Object.keys(asMapping(networks)).length > 0 || (Array.isArray(networks) && networks.length > 0);
  if (scalarText(mode) !== '' && isConnected)
    throw new UsageError(`services.${name} has both network_mode and networks`, {
      hint: 'remove one of them',
    });
}

function checkImage(name: string, service: Mapping): void {
  const { image, build, provider } = service;
  if (image !== undefined && image !== null && typeof image !== 'string')
    throw new UsageError(`services.${name}.image must be a string`);
  if (scalarText(image) !== '' || isPresent(build) || isPresent(provider)) return;
  throw new UsageError(`services.${name} has neither image nor build`, { hint: 'name its image' });
}

function isPresent(value: Value | undefined): boolean {
  return value !== undefined && value !== null;
}

/** The services that must run for this one. */
function neededBy(service: Mapping): string[] {
  const shared = ['network_mode', 'ipc', 'pid', 'uts', 'cgroup'].map((key) => scalarText(service[key]));
  const from = asList(service['volumes_from']).map(scalarText);
  return [
    ...dependencies(service).filter(({ required }) => required),
    ...shared.filter((text) => text.startsWith('service:')).map((text) => ({ name: text.slice(8) })),
    ...asList(service['links']).map((link) => ({ name: firstPart(link) })),
    ...from.filter((text) => !text.startsWith('container:')).map((text) => ({ name: firstPart(text) })),
  ].map(({ name }) => name);
}

function firstPart(value: Value): string {
  return scalarText(value).split(':')[0] ?? '';
}

function dependencies(service: Mapping): { name: string; required: boolean }[] {
  const dependsOn = service['depends_on'];
  if (!isMapping(dependsOn))
    return asList(dependsOn).map((name) => ({ name: scalarText(name), required: true }));
  return Object.entries(dependsOn).map(([name, how]) => ({
    name,
    required: asMapping(how)['required'] !== false,
  }));
}

/** `depends_on` without the services that do not run, or undefined if all of them run. */
export function runningDependencies(service: Mapping, active: readonly string[]): Mapping | undefined {
  const dependsOn = service['depends_on'];
  if (!isMapping(dependsOn)) return undefined;
  const kept = Object.entries(dependsOn).filter(([name]) => active.includes(name));
  return kept.length === Object.keys(dependsOn).length ? undefined : Object.fromEntries(kept);
}
