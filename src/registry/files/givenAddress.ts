/**
 * Returns the address that a registry names in a response from `url`, absolute or relative to it.
 * Undefined for what is not an address of the web. Behind a proxy, a registry may believe that it
 * is reached with plain http. Pure.
 */
export function givenAddress(text: string, url: string): URL | undefined {
  if (!URL.canParse(text, url)) return undefined;
  const address = new URL(text, url);
  if (address.protocol !== 'http:' && address.protocol !== 'https:') return undefined;
  const own = new URL(url);
  if (address.hostname !== own.hostname || own.protocol !== 'https:') return address;
  return new URL(secured(address, own));
}

function secured(address: URL, own: URL): string {
  const port = address.protocol === 'https:' ? address.port : own.port;
  return `https://${own.hostname}${port === '' ? '' : `:${port}`}${address.pathname}${address.search}`;
}
