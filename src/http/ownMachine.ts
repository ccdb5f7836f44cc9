import type { LookupAddress } from 'node:dns';
import { lookup } from 'node:dns/promises';
import { BlockList, isIP } from 'node:net';
import { NetworkError } from '../errors.ts';
import { withoutBrackets } from './proxy.ts';

/** Addresses of this machine, and of its own network without a router. */
const OWN = new BlockList();
OWN.addSubnet('127.0.0.0', 8, 'ipv4');
OWN.addAddress('0.0.0.0', 'ipv4');
OWN.addSubnet('169.254.0.0', 16, 'ipv4');
OWN.addAddress('::1', 'ipv6');
OWN.addAddress('::', 'ipv6');
OWN.addSubnet('fe80::', 10, 'ipv6');

/** True for an IP address, with or without brackets, of this machine or of its own network. */
export function isOwnAddress(address: string): boolean {
  const plain = withoutBrackets(address);
  const version = isIP(plain);
  return version !== 0 && OWN.check(plain, version === 4 ? 'ipv4' : 'ipv6');
}

/** Finds the addresses of a host name, as `dns.lookup` does. */
export type Resolve = (hostname: string) => Promise<LookupAddress[]>;

const resolveByDns: Resolve = (hostname) => lookup(hostname, { all: true });

/**
 * Returns the addresses of a host whose name another host, `giver`, supplied. Throws NetworkError
 * if the host is this machine and the giver is not: services of this machine are no concern of the
 * giver. The connection must go to the returned addresses, since the name may change its meaning.
 */
export async function addressesFor(
  hostname: string,
  giver: string,
  resolve: Resolve = resolveByDns,
): Promise<LookupAddress[]> {
  const addresses = await resolve(withoutBrackets(hostname));
  if (!addresses.some(({ address }) => isOwnAddress(address))) return addresses;
  const theirs = await resolve(withoutBrackets(giver)).catch(() => []);
  if (theirs.some(({ address }) => isOwnAddress(address))) return addresses;
  throw new NetworkError(`${giver} leads to this machine, at ${hostname}`, {
    hint: 'if that is intended, use the address that it leads to',
  });
}
