import type { Fault } from '../schema/validate.ts';
import { parseMount } from '../shortSyntax.ts';
import type { Mapping, Value } from '../yaml/value.ts';
import { asList, asMapping, scalarText } from '../yaml/value.ts';

/** Finds attributes of the active services that contradict each other. */
export function consistencyFaults(model: Mapping, active: readonly string[]): Fault[] {
  const services = asMapping(model['services']);
  return [
    ...active.flatMap((name) =>
      serviceFaults(asMapping(services[name])).map((message) => ({ path: ['services', name], message })),
    ),
    ...sharedContainerNames(services, active),
  ];
}

function serviceFaults(service: Mapping): string[] {
  const limits = resourcesOf(service, 'limits');
  const reservations = resourcesOf(service, 'reservations');
  const found = [
    ...replicaFaults(service),
    differing(service['cpus'], limits, 'cpus', 'cpus'),
    differing(service['mem_limit'], limits, 'mem_limit', 'memory'),
    differing(service['mem_reservation'], reservations, 'mem_reservation', 'memory'),
    differing(service['pids_limit'], limits, 'pids_limit', 'pids'),
    testFault(asMapping(service['healthcheck'])['test']),
    repeatedMount(service),
    ...buildFaults(service),
  ];
  return found.filter((message) => message !== undefined);
}

function resourcesOf(service: Mapping, kind: 'limits' | 'reservations'): Value | undefined {
  return asMapping(asMapping(service['deploy'])['resources'])[kind] === undefined
    ? undefined
    : asMapping(asMapping(service['deploy'])['resources'])[kind];
}

/** How many containers of the service Compose starts. */
export function containersOf({ scale, deploy }: Mapping): number {
  return Number(scale ?? asMapping(deploy)['replicas'] ?? 1);
}

function replicaFaults(service: Mapping): (string | undefined)[] {
  const { scale, container_name: name } = service;
  const { replicas } = asMapping(service['deploy']);
  const isUnclear = scale !== undefined && replicas !== undefined && scale !== replicas;
  return [
    isUnclear ? 'has different values for scale and deploy.replicas' : undefined,
    Number(scale ?? 0) < 0 || Number(replicas ?? 0) < 0 ? 'has a negative number of replicas' : undefined,
    containersOf(service) > 1 && scalarText(name) !== ''
      ? 'has a container_name, so it can only run once'
      : undefined,
  ];
}

/** An attribute of the service must not differ from its newer form below `deploy.resources`. */
function differing(
  own: Value | undefined,
  resources: Value | undefined,
  key: string,
  newKey: string,
): string | undefined {
  if (own === undefined || own === null || Number(own) === 0 || resources === undefined) return undefined;
  const other = asMapping(resources)[newKey];
  return amountOf(own) === amountOf(other ?? 0)
    ? undefined
    : `has different values for ${key} and deploy.resources`;
}

const UNITS = ['', 'k', 'm', 'g', 't', 'p'];

function amountOf(value: Value): number {
  const [, amount, unit = ''] = /^(-?[\d.]+) ?([kmgtp])?i?b?$/i.exec(scalarText(value)) ?? [];
  return Number(amount) * 1024 ** UNITS.indexOf(unit.toLowerCase());
}

function testFault(test: Value | undefined): string | undefined {
  if (!Array.isArray(test) || test.length === 0) return undefined;
  const isKnown = ['CMD', 'CMD-SHELL', 'NONE'].includes(scalarText(test[0]));
  return isKnown ? undefined : 'needs a healthcheck.test that starts with CMD, CMD-SHELL or NONE';
}

/** Compose merges mounts with the same target, but not a mount and a tmpfs. */
function repeatedMount(service: Mapping): string | undefined {
  const mounted = asList(service['tmpfs']).map((entry) => scalarText(entry).split(':')[0] ?? '');
  const targets = asList(service['volumes']).map((entry) => parseMount(entry).target);
  const twice =
    mounted.find((path, index) => mounted.indexOf(path) !== index && !sameEntry(service, index)) ??
    targets.find((target) => mounted.includes(target));
  return twice === undefined ? undefined : `mounts ${twice} twice`;
}

/** A tmpfs that is listed twice with the same options is one. */
function sameEntry(service: Mapping, index: number): boolean {
  const entries = asList(service['tmpfs']).map(scalarText);
  return entries.indexOf(entries[index] ?? '') !== index;
}

function buildFaults(service: Mapping): (string | undefined)[] {
  const build = asMapping(service['build']);
  const platforms = asList(build['platforms']).map(scalarText);
  const platform = scalarText(service['platform']);
  const isOther = platforms.length > 0 && platform !== '' && !platforms.includes(platform);
  return [
    build['dockerfile'] !== undefined && build['dockerfile_inline'] !== undefined
      ? 'has both build.dockerfile and build.dockerfile_inline'
      : undefined,
    isOther ? `needs its platform ${platform} among build.platforms` : undefined,
  ];
}

function sharedContainerNames(services: Mapping, active: readonly string[]): Fault[] {
  const owners = new Map<string, string>();
  return active.flatMap((name) => {
    const container = scalarText(asMapping(services[name])['container_name']);
    const owner = owners.get(container);
    if (container !== '') owners.set(container, name);
    return owner === undefined
      ? []
      : [{ path: ['services', name, 'container_name'], message: `is ${container}, like that of ${owner}` }];
  });
}
