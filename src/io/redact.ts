const SHORTEST_SECRET = 4;
const secrets = new Set<string>();

/** Remembers a token or password, so that `redact` removes it from everything that is printed afterwards. */
export function registerSecret(secret: string | undefined): void {
  if (secret !== undefined && secret.length >= SHORTEST_SECRET) secrets.add(secret);
}

const SIGNATURES = /^sig$|signature|credential|token|accesskey/i;

/** Remembers what makes a presigned URL good for whoever has it: a storage may quote it in its errors. */
export function registerSignature(url: string): void {
  for (const [name, value] of new URL(url).searchParams) {
    if (SIGNATURES.test(name)) [value, encodeURIComponent(value)].forEach(registerSecret);
  }
}

/**
 * `text` without registered secrets, Authorization headers, passwords in URLs, and the query strings of URLs (a
 * presigned URL's signature is there).
 */
export function redact(text: string): string {
  let clean = text
    .replace(/\b(Bearer|Basic)\s+[A-Za-z0-9._~+/=-]{4,}/gi, '$1 ***')
    .replace(/\b([a-z][a-z0-9+.-]*:\/\/)[^\s/"']+@/gi, '$1***@')
    .replace(/\b(https?:\/\/[^\s?"'<>]+)\?[^\s"'<>]+/gi, '$1?***');
  // The longest first: what is left of one that holds another would tell half of it.
  const longestFirst = [...secrets].sort((a, b) => b.length - a.length);
  for (const secret of longestFirst) clean = clean.replaceAll(secret, '***');
  return clean;
}
