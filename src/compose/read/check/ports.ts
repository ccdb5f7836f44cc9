import { isIP } from 'node:net';
import { scalarText } from '../yaml/value.ts';
import type { Value } from '../yaml/value.ts';
import { isMapping } from '../yaml/value.ts';

const PROTOCOLS = ['tcp', 'udp', 'sctp', ''];
const LARGEST_PORT = 65_535;

interface Range {
  first: number;
  last: number;
}

/** Says what is wrong with an entry of a service's `ports`, or returns undefined. */
export function portFault(entry: Value): string | undefined {
  if (isMapping(entry)) return longFault(scalarText(entry['target']), entry['host_ip']);
  if (typeof entry === 'number' && !Number.isInteger(entry)) return 'must be a whole number';
  return shortFault(scalarText(entry));
}

function longFault(target: string, host: Value | undefined): string | undefined {
  if (target === '' || target === '0') return 'needs the attribute target';
  return host === undefined ? undefined : hostFault(scalarText(host));
}

function shortFault(text: string): string | undefined {
  const [ports = '', protocol = ''] = splitLast(text, '/');
  if (!PROTOCOLS.includes(protocol.toLowerCase())) return `has an unknown protocol: ${text}`;
  const parts = ports.split(':');
  const target = rangeOf(parts.pop() ?? '');
  if (target === undefined || target.last === 0) return `has an invalid container port: ${text}`;
  const outside = parts.pop() ?? '';
  const host = outside === '' ? undefined : rangeOf(outside);
  if (outside !== '' && host === undefined) return `has an invalid host port: ${text}`;
  if (host !== undefined && !fits(host, target)) return `has port ranges of different sizes: ${text}`;
  return parts.length === 0 ? undefined : shortHostFault(parts.join(':'));
}

/** The short form needs brackets around an IPv6 address. */
function shortHostFault(host: string): string | undefined {
  const address = /^\[(.*)\]$/.exec(host)?.[1];
  if (address === undefined && host.includes(':')) return `has an IPv6 address without brackets: ${host}`;
  return host === '' ? undefined : hostFault(address ?? host);
}

function hostFault(host: string): string | undefined {
  return isIP(host) === 0 ? `has an invalid IP address: ${host}` : undefined;
}

/** A range of host ports may serve a single container port. */
function fits(host: Range, target: Range): boolean {
  const [hosts, targets] = [host.last - host.first, target.last - target.first];
  return hosts === targets || targets === 0;
}

function rangeOf(text: string): Range | undefined {
  const [first, last = first] = (/^(\d+)(?:-(\d+))?$/.exec(text) ?? []).slice(1).map(portNumber);
  if (first === undefined || last === undefined || first > last || last > LARGEST_PORT) return undefined;
  return { first, last };
}

function portNumber(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text);
}

function splitLast(text: string, separator: string): string[] {
  const at = text.lastIndexOf(separator);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}
