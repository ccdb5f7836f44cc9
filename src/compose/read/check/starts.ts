import type { Fault } from '../schema/validate.ts';
import { parsePort } from '../shortSyntax.ts';
import type { Mapping } from '../yaml/value.ts';
import { asList, asMapping, scalarText } from '../yaml/value.ts';

const HINT = 'docker compose config accepts it, but docker compose up fails on every device';
const RESTART = /^(no|always|unless-stopped|on-failure(:\d+)?|)$/;

/** A port of the device that a service publishes. */
interface Published {
  path: string[];
  service: string;
  /** Empty for all addresses of the device. */
  address: string;
  port: string;
  protocol: string;
}

/** Finds what Docker refuses when the active services start: Compose does not look at it before. */
export function startFaults(model: Mapping, active: readonly string[]): Fault[] {
  const services = asMapping(model['services']);
  return [
    ...active.flatMap((name) => restartFaults(name, asMapping(services[name]))),
    ...sharedPorts(active.flatMap((name) => publishedBy(name, asMapping(services[name])))),
  ];
}

function restartFaults(name: string, { restart }: Mapping): Fault[] {
  const policy = scalarText(restart);
  if (RESTART.test(policy)) return [];
  const message = `is ${policy}: expected no, always, on-failure, on-failure:COUNT or unless-stopped`;
  return [{ path: ['services', name, 'restart'], message, hint: HINT }];
}

function sharedPorts(published: readonly Published[]): Fault[] {
  return published.flatMap((one, index) => {
    const owner = published
      .slice(0, index)
      .find((other) => other.service !== one.service && clashes(other, one));
    if (owner === undefined) return [];
    const message = `publishes port ${one.port} of the device, as ${owner.service} does`;
    return [{ path: one.path, message, hint: HINT }];
  });
}

function clashes(one: Published, other: Published): boolean {
  const isSame = one.port === other.port && one.protocol === other.protocol;
  return isSame && (one.address === other.address || one.address === '' || other.address === '');
}

/** The single ports: Docker itself finds a free one in a range. */
function publishedBy(service: string, { ports }: Mapping): Published[] {
  return asList(ports).flatMap((entry, index) => {
    const { hostIp, published: port, protocol } = parsePort(entry);
    if (!/^\d+$/.test(port) || port === '0') return [];
    const path = ['services', service, 'ports', String(index)];
    const address = /^(0\.0\.0\.0|::)$/.test(hostIp) ? '' : hostIp;
    return [{ path, service, address, port, protocol: protocol.toLowerCase() }];
  });
}
