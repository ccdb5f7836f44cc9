const SHORTEST_SECRET = 4;
const secrets = new Set<string>();

/**
 * Remembers a token or password for the rest of the process, so that `redact` removes it from all
 * output.
 */
export function registerSecret(secret: string | undefined): void {
  if (secret !== undefined && secret.length >= SHORTEST_SECRET) secrets.add(secret);
}

const SIGNATURES = /^sig$|signature|credential|token|accesskey/i;

/** Remembers the signature of a presigned URL, as a storage may quote it in its errors. */
export function registerSignature(url: string): void {
  for (const [name, value] of new URL(url).searchParams) {
    if (SIGNATURES.test(name)) [value, encodeURIComponent(value)].forEach(registerSecret);
  }
}

/**
 * `text` without registered secrets, Authorization headers, passwords in URLs, and the query
 * strings of URLs (a presigned URL's signature is there).
 */
export function redact(text: string): string {
  // Each expression reads the text once: its matches begin at a fixed text and do not overlap.
  let clean = text
    .replace(/\b(Bearer|Basic)\s+[A-Za-z0-9._~+/=-]{4,}/gi, '$1 ***')
    .replace(/:\/\/[^\s/"']+@/g, withoutUser)
    .replace(/:\/\/[^\s"'<>]+/g, withoutQuery);
  // The longest first: of a secret that contains another, half would remain.
  const longestFirst = [...secrets].sort((a, b) => b.length - a.length);
  for (const secret of longestFirst) clean = clean.replaceAll(secret, '***');
  return clean;
}

/**
 * A text that should be an address, for an error about it: without what may be a user, a password
 * or a query. `redact` finds those only in a whole URL.
 */
export function hideCredentials(address: string): string {
  return address.replace(/^([a-z][a-z0-9+.-]*:\/\/)?.*@/is, '$1***@').replace(/\?.+$/s, '?***');
}

/** The user of an address of ssh is no secret. A password is. */
function withoutUser(found: string, at: number, text: string): string {
  const isUserOfSsh = text.slice(at - 3, at) === 'ssh' && !found.includes(':', 1);
  return isUserOfSsh ? found : '://***@';
}

function withoutQuery(url: string): string {
  const at = url.indexOf('?');
  return at < 0 || at === url.length - 1 ? url : `${url.slice(0, at)}?***`;
}
