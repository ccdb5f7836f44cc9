/** The parts of a URL as RFC 3986 splits it. The URL class would resolve and drop some of them. */
export interface UrlParts {
  /** Lower case. Empty if there is none. */
  scheme: string;
  hasUser: boolean;
  /** With the port, decoded. */
  host: string;
  /** Decoded if it begins with a slash. */
  path: string;
  query: string;
  fragment: string;
}

const URL_PARTS =
  /^(?:(?<scheme>[a-z][a-z0-9+.-]*):)?(?:\/\/(?<authority>[^/?#]*))?(?<path>[^?#]*)(?:\?(?<query>[^#]*))?(?:#(?<fragment>.*))?$/i;

/**
 * Splits `scheme:[//host]path[?query][#fragment]`. Undefined for anything else.
 * https://www.rfc-editor.org/rfc/rfc3986
 */
export function splitUrl(text: string): UrlParts | undefined {
  if (/[\x00-\x1f\x7f]/.test(text)) return undefined;
  const {
    scheme = '',
    authority = '',
    path = '',
    query = '',
    fragment = '',
  } = URL_PARTS.exec(text)?.groups ?? {};
  const isAmbiguous = scheme === '' && /^[^/]*:/.test(path);
  if (isAmbiguous) return undefined;
  const at = authority.lastIndexOf('@');
  const host = hostOf(authority.slice(at + 1));
  const decoded = path.startsWith('/') ? decode(path) : path;
  if (host === undefined || decoded === undefined) return undefined;
  return { scheme: scheme.toLowerCase(), hasUser: at >= 0, host, path: decoded, query, fragment };
}

/** A name or `[IPv6%25zone]`, and a port of digits. */
function hostOf(text: string): string | undefined {
  const literal = /^\[([0-9a-f:.]+)(?:%25([^\]]+))?\](:\d*)?$/i.exec(text);
  if (literal !== null) {
    const [, address = '', zone, port = ''] = literal;
    return `[${address}${zone === undefined ? '' : `%${zone}`}]${port}`;
  }
  return /^[^\s:[\]%<>"^`{|}\\]*(:\d*)?$/.test(text) ? text : undefined;
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/** True if both addresses have the same scheme, host and port, as they are written. */
export function sameHost(a: string, b: string): boolean {
  return hostIn(a) === hostIn(b);
}

function hostIn(address: string): string | undefined {
  const [, scheme, host] = /^([a-z][a-z0-9+.-]*:)\/\/(?:[^@/?#]*@)?([^/?#]*)/i.exec(address) ?? [];
  return host === undefined ? undefined : `${String(scheme)}//${host}`.toLowerCase();
}
