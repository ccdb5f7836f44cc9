import { BlockList, isIP } from 'node:net';
import type { Environment } from '../environment.ts';
import { UsageError } from '../errors.ts';
import { registerSecret } from '../io/redact.ts';
import { isLoopback } from './redirect.ts';

/** A server that passes requests on. */
export interface Proxy {
  protocol: 'http:' | 'https:';
  /** Without brackets. */
  host: string;
  port: number;
  /** User and password, as they were before they were escaped for the URL. */
  auth?: { username: string; password: string };
}

/**
 * The proxy for a URL by HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY, in lower case as well.
 * Undefined for a direct connection, as always to this machine. Throws UsageError for an invalid
 * address. The rules are those of Go: https://pkg.go.dev/golang.org/x/net/http/httpproxy
 */
export function proxyFor(url: URL, environment: Environment): Proxy | undefined {
  const get = (name: string): string => environment[name.toLowerCase()] || environment[name] || '';
  const variable = url.protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY';
  const address = get(variable) || get('ALL_PROXY');
  if (address === '' || isLoopback(url.hostname) || isExcluded(url, get('NO_PROXY'))) return undefined;
  return parseProxy(address, variable);
}

function parseProxy(address: string, variable: string): Proxy {
  const text = address.includes('://') ? address : `http://${address}`;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const { protocol } = url ?? {};
  if (url === undefined || url.hostname === '' || (protocol !== 'http:' && protocol !== 'https:')) {
    throw new UsageError(`${variable} is not the address of an http or https proxy`, {
      hint: 'write it like http://proxy.example.com:3128',
    });
  }
  const port = Number(url.port) || (protocol === 'https:' ? 443 : 80);
  const proxy: Proxy = { protocol, host: withoutBrackets(url.hostname), port };
  if (url.username === '') return proxy;
  const auth = { username: unescape(url.username), password: unescape(url.password) };
  registerSecret(auth.password);
  return { ...proxy, auth };
}

function unescape(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

export function withoutBrackets(hostname: string): string {
  return hostname.replace(/^\[(.*)\]$/, '$1');
}

/** The Proxy-Authorization header, if the proxy wants one. */
export function authorizationOf({ auth }: Proxy): string | undefined {
  if (auth === undefined) return undefined;
  const encoded = Buffer.from(`${auth.username}:${auth.password}`).toString('base64');
  registerSecret(encoded);
  return `Basic ${encoded}`;
}

/** `host:port`, for messages. */
export function proxyName({ host, port }: Proxy): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

function isExcluded(url: URL, list: string): boolean {
  const host = withoutBrackets(url.hostname).toLowerCase();
  const port = url.port || (url.protocol === 'https:' ? '443' : '80');
  return list
    .toLowerCase()
    .split(/[,\s]+/)
    .filter((entry) => entry !== '')
    .some((entry) => entry === '*' || matches(entry, host, port));
}

/** An entry is a domain, with its subdomains, an address or a range of them; a port may follow. */
function matches(entry: string, host: string, port: string): boolean {
  const [, name = entry, itsPort] = /^(\[.*\]|[^:]*)(?::(\d+))?$/.exec(entry) ?? [];
  if (itsPort !== undefined && itsPort !== port) return false;
  if (isIP(host) !== 0) return isInRange(withoutBrackets(name), host);
  const domain = name.replace(/^\*?\./, '');
  return (name === domain && host === domain) || host.endsWith(`.${domain}`);
}

function isInRange(range: string, host: string): boolean {
  const [address = '', bits] = range.split('/');
  const version = isIP(address);
  if (version === 0 || version !== isIP(host)) return false;
  const length = bits === undefined ? (version === 4 ? 32 : 128) : Number(bits);
  if (!(Number.isInteger(length) && length >= 0 && length <= (version === 4 ? 32 : 128))) return false;
  const family = version === 4 ? 'ipv4' : 'ipv6';
  const list = new BlockList();
  list.addSubnet(address, length, family);
  return list.check(host, family);
}
