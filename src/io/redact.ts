const SHORTEST_SECRET = 4;
const secrets = new Set<string>();

/**
 * Remembers a token or password for the rest of the process, so that `redact` removes it from all
 * output: as it is, and as it is written in an address, in a form and in JSON.
 */
export function registerSecret(secret: string | undefined): void {
  if (secret === undefined || secret.length < SHORTEST_SECRET) return;
  for (const text of [secret, ...escapesOf(secret)]) secrets.add(text);
}

/**
 * `text` as it is written in an address, with escapes of either case, in a form and in JSON. Pure.
 */
export function escapesOf(text: string): string[] {
  const form = new URLSearchParams({ text }).toString().slice('text='.length);
  const escaped = [form, form.replaceAll('+', '%20'), encodeURIComponent(wellFormed(text))];
  const lower = escaped.map((one) => one.replace(/%../g, (code) => code.toLowerCase()));
  return [...escaped, ...lower, JSON.stringify(text).slice(1, -1)];
}

/** `text` as UTF-8 can have it: an escape of half a character would throw. */
function wellFormed(text: string): string {
  return Buffer.from(text).toString();
}

/** Forgets all secrets, for tests that share a process. */
export function forgetSecrets(): void {
  secrets.clear();
}

const SIGNATURES = /^sig$|signature|credential|token|accesskey/i;

/** Remembers the signature of a presigned URL, as a storage may quote it in its errors. */
export function registerSignature(url: string): void {
  for (const [name, value] of new URL(url).searchParams) {
    if (SIGNATURES.test(name)) registerSecret(value);
  }
}

/**
 * `text` without registered secrets, Authorization headers, passwords in URLs, and the query
 * strings of URLs (a presigned URL's signature is there).
 */
export function redact(text: string): string {
  // First the secrets, while they are whole. Each expression then reads the text once: its matches
  // begin at a fixed text and do not overlap.
  return withoutSecrets(text)
    .replace(/\b(Bearer|Basic)\s+[A-Za-z0-9._~+/=-]{4,}/gi, '$1 ***')
    .replace(/:\/\/[^\s/"']+@/g, withoutUser)
    .replace(/:\/\/[^\s"'<>]+/g, withoutQuery);
}

/** The longest first: of a secret that contains another, half would remain. */
function withoutSecrets(text: string): string {
  const longestFirst = [...secrets].sort((a, b) => b.length - a.length);
  return longestFirst.reduce((clean, secret) => clean.replaceAll(secret, '***'), text);
}

/**
 * The beginning of a text for a message, on one line and redacted. A secret is found before the
 * cut, as only a whole one is known, and also where `text` itself ends in the middle of one.
 */
export function excerpt(text: string, length: number): string {
  return withoutPart(redact(text))
    .replace(/[\s\p{Cc}]+/gu, ' ')
    .trim()
    .slice(0, length);
}

/** The same of the end of a text, with its lines. */
export function ending(text: string, length: number): string {
  return redact(text).trim().slice(-length);
}

/** `text` without the beginning of a secret at its end. */
function withoutPart(text: string): string {
  const part = [...secrets].reduce((most, secret) => Math.max(most, partAtEnd(secret, text)), 0);
  return part === 0 ? text : `${text.slice(0, -part)}***`;
}

/** How many characters at the end of `text` are the beginning of a secret. */
function partAtEnd(secret: string, text: string): number {
  for (let length = Math.min(secret.length - 1, text.length); length >= SHORTEST_SECRET; length--)
    if (text.endsWith(secret.slice(0, length))) return length;
  return 0;
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
