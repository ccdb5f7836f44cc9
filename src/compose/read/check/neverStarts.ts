import { BlockList, isIP } from 'node:net';
import type { Fault } from '../schema/validate.ts';
import { parseMount, parsePort } from '../shortSyntax.ts';
import type { Mapping, Value } from '../yaml/value.ts';
import { asList, asMapping, isMapping, scalarText } from '../yaml/value.ts';
import { containersOf } from './consistency.ts';
import { resourcesOf } from './resources.ts';

const HINT = 'docker compose config accepts it, but docker compose up fails on every device';
/** Bytes. https://docs.docker.com/engine/containers/resource_constraints/#memory */
const LEAST_MEMORY = 6 << 20;
const UNITS: Readonly<Record<string, number>> = { '': 1, b: 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30 };
/** https://man7.org/linux/man-pages/man7/capabilities.7.html */
const CAPABILITIES = new Set(
  `all audit_control audit_read audit_write block_suspend bpf checkpoint_restore chown dac_override
  dac_read_search fowner fsetid ipc_lock ipc_owner kill lease linux_immutable mac_admin mac_override mknod
  net_admin net_bind_service net_broadcast net_raw perfmon setfcap setgid setpcap setuid sys_admin sys_boot
  sys_chroot sys_module sys_nice sys_pacct sys_ptrace sys_rawio sys_resource sys_time sys_tty_config syslog
  wake_alarm`.split(/\s+/),
);

/** The keys in the service that lead to a value, and what is wrong with it. */
type Found = [at: readonly string[], message: string];

/**
 * Finds what keeps one of the active services from starting on any device, although Compose and
 * Docker read it. Whether two services go together is up to `startFaults`.
 */
export function neverStartFaults(model: Mapping, active: readonly string[]): Fault[] {
  const services = asMapping(model['services']);
  return active.flatMap((name) => {
    const service = asMapping(services[name]);
    if (containersOf(service) === 0) return [];
    const found = [
      ...externalFiles(service, model),
      ...replicatedPorts(service),
      ...mountTargets(service),
      ...littleMemory(service),
      ...unknownCapabilities(service),
      ...unhealthyServices(service, services),
      ...foreignAddresses(service, asMapping(model['networks'])),
    ];
    return found.map(([at, message]) => ({
      path: ['services', name, ...at],
      message,
      hint: HINT,
    }));
  });
}

/** Only a swarm has these. */
function externalFiles(service: Mapping, model: Mapping): Found[] {
  return (['configs', 'secrets'] as const).flatMap((section) => {
    const isExternal = (name: string) => {
      const { external = false } = asMapping(asMapping(model[section])[name]);
      return isMapping(external) || external === true || external === 'true';
    };
    const used = resourcesOf(service, section).filter(isExternal);
    return used.map((name): Found => [
      [section],
      `uses ${name}, which is external: only a swarm has such ${section}`,
    ]);
  });
}

function replicatedPorts(service: Mapping): Found[] {
  const { ports, network_mode } = service;
  const count = containersOf(service);
  // Docker publishes no ports in these modes.
  if (!(count > 1) || ['host', 'none'].includes(scalarText(network_mode))) return [];
  const fixed = asList(ports).findIndex((entry) => /^[1-9]\d*$/.test(parsePort(entry).published));
  if (fixed < 0) return [];
  return [[['ports', String(fixed)], `publishes one port of the device for ${count} containers`]];
}

function mountTargets({ volumes, tmpfs }: Mapping): Found[] {
  const targets = {
    volumes: asList(volumes).map((entry) => parseMount(entry).target),
    tmpfs: asList(tmpfs).map((entry) => scalarText(entry).split(':')[0] ?? ''),
  };
  const all = Object.entries(targets).flatMap(([key, paths]) =>
    paths.map((target, index) => ({ at: [key, String(index)], target })),
  );
  const wrong = all.filter(({ target }) => !/^\/+[^/]/.test(target));
  return wrong.map(({ at, target }) => [
    at,
    `mounts at ${JSON.stringify(target)}: expected an absolute path below /`,
  ]);
}

function littleMemory({ mem_limit, deploy }: Mapping): Found[] {
  const { memory } = asMapping(asMapping(asMapping(deploy)['resources'])['limits']);
  const limits = { mem_limit, 'deploy.resources.limits.memory': memory };
  return Object.entries(limits).flatMap(([at, value]): Found[] => {
    const bytes = bytesOf(value);
    const isLittle = bytes !== undefined && bytes > 0 && bytes < LEAST_MEMORY;
    return isLittle ? [[at.split('.'), `is ${scalarText(value)}: Docker takes 6 MiB at least`]] : [];
  });
}

/** Undefined for a missing size, and for one in a form that only Docker knows. */
function bytesOf(value: Value | undefined): number | undefined {
  const [, number, unit = ''] = /^([\d.]+)\s*([bkmg])?i?b?$/i.exec(scalarText(value ?? null).trim()) ?? [];
  return number === undefined ? undefined : Number(number) * (UNITS[unit.toLowerCase()] ?? NaN);
}

function unknownCapabilities(service: Mapping): Found[] {
  return ['cap_add', 'cap_drop'].flatMap((key) => {
    const names = asList(service[key]).map(scalarText);
    const unknown = names.filter((name) => !CAPABILITIES.has(name.toLowerCase().replace(/^cap_/, '')));
    return unknown.map((name): Found => [
      [key],
      `has ${JSON.stringify(name)}, which is no capability of Linux`,
    ]);
  });
}

function unhealthyServices({ depends_on }: Mapping, services: Mapping): Found[] {
  return Object.entries(asMapping(depends_on)).flatMap(([name, dependency]): Found[] => {
    const other = asMapping(services[name]);
    const { disable, test } = asMapping(other['healthcheck']);
    const isOff = disable === true || disable === 'true' || scalarText(asList(test)[0]) === 'NONE';
    const { condition, required = true } = asMapping(dependency);
    // Compose only warns of an optional one.
    const isNeeded = condition === 'service_healthy' && scalarText(required) === 'true';
    if (!isNeeded || !isOff || containersOf(other) === 0) return [];
    return [[['depends_on', name], `waits until ${name} is healthy, whose healthcheck is off`]];
  });
}

/** Addresses outside of the subnets that the network has. */
function foreignAddresses({ networks: used }: Mapping, networks: Mapping): Found[] {
  return Object.entries(asMapping(used)).flatMap(([name, settings]) => {
    const subnets = subnetsOf(asMapping(networks[name]));
    return ['ipv4_address', 'ipv6_address'].flatMap((key): Found[] => {
      const address = scalarText(asMapping(settings)[key]);
      const family = isIP(address);
      if (family === 0 || subnets.length === 0 || isInOne(address, family, subnets)) return [];
      return [[['networks', name, key], `is ${address}, which is in no subnet of the network`]];
    });
  });
}

function subnetsOf({ ipam }: Mapping): string[] {
  const configs = asList(asMapping(ipam)['config']);
  return configs.map((config) => scalarText(asMapping(config)['subnet'])).filter((subnet) => subnet !== '');
}

function isInOne(address: string, family: number, subnets: readonly string[]): boolean {
  return subnets.some((subnet) => {
    const [network = '', prefix = ''] = subnet.split('/');
    if (isIP(network) !== family || !/^\d{1,3}$/.test(prefix) || Number(prefix) > (family === 4 ? 32 : 128)) {
      return false;
    }
    const list = new BlockList();
    list.addSubnet(network, Number(prefix), `ipv${family === 4 ? 4 : 6}`);
    return list.check(address, `ipv${family === 4 ? 4 : 6}`);
  });
}
