const PART = '[a-z0-9]+(?:[._-][a-z0-9]+)*';
const PULL = new RegExp(`^(?:library://)?(?:${PART}/){0,2}${PART}(?::${PART})?$`);
const PUSH = new RegExp(`^(?:library://)?(?:${PART}/){2}${PART}(?::${PART}(?:,${PART})*)?$`);
const HASH = /^(?:sha256\.[0-9a-f]{64}|sif\.[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/;

/** True for one component of a path, or a tag. */
export function isReferencePart(text: string): boolean {
  return new RegExp(`^${PART}$`).test(text);
}

/** True for up to three components with at most one tag; says nothing about whether a library is meant. */
export function isPullPath(text: string): boolean {
  return PULL.test(text);
}

/** True for exactly `entity/collection/container`, with any number of tags. */
export function isPushPath(text: string): boolean {
  return PUSH.test(text);
}

/** True for what a library calls the hash of a file: `sha256.<hex>`, or `sif.<uuid>`. */
export function isImageHash(text: string): boolean {
  return HASH.test(text);
}

export interface LibraryPath {
  entity: string;
  collection: string;
  container: string;
  /** Null where there is no colon. */
  tags: string[] | null;
}

/** Splits `[library://][[entity/]collection/]container[:tag,tag]`; all empty for more components. */
export function splitLibraryPath(text: string): LibraryPath {
  const components = text.replace(/^library:\/\//, '').split('/');
  if (components.length > 3) return { entity: '', collection: '', container: '', tags: [] };
  const [last = '', collection = '', entity = ''] = components.reverse();
  const [container = '', tags] = last.split(':');
  return { entity, collection, container, tags: tags === undefined ? null : tags.split(',') };
}
