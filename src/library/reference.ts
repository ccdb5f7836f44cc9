import { UsageError } from '../errors.ts';
import type { UrlParts } from './url.ts';
import { splitUrl } from './url.ts';

/** What is wrong with a library reference. */
export type ReferenceFault =
  | 'InvalidURL'
  | 'RefSchemeNotValid'
  | 'RefUserNotPermitted'
  | 'RefQueryNotPermitted'
  | 'RefFragmentNotPermitted'
  | 'RefPathNotValid'
  | 'RefTagsNotValid';

/** An invalid library reference, and what is wrong with it. */
export class LibraryReferenceError extends UsageError {
  readonly fault: ReferenceFault;

  constructor(text: string, fault: ReferenceFault) {
    super(`invalid library reference ${JSON.stringify(text)}: ${EXPLANATIONS[fault]}`, {
      hint: 'write it as library://[host/]entity/collection/container[:tag]',
    });
    this.fault = fault;
  }
}

const EXPLANATIONS: Record<ReferenceFault, string> = {
  InvalidURL: 'it is not a URL',
  RefSchemeNotValid: 'it does not begin with library:',
  RefUserNotPermitted: 'it may not name a user',
  RefQueryNotPermitted: 'it may not have a query',
  RefFragmentNotPermitted: 'it may not have a fragment',
  RefPathNotValid: 'it has no path, or more than one colon in it',
  RefTagsNotValid: 'no tag follows its colon',
};

/** Something in a container library. */
export interface LibraryReference {
  /** With the port. Undefined for the library of LIBRARY_URL. */
  host?: string;
  /** `entity/collection/container` */
  path: string;
  /** Undefined if there are none. */
  tags?: string[];
}

/** True for text with the scheme `library:`. */
export function isLibraryReference(text: string): boolean {
  return /^library:/i.test(text);
}

/** Parses `library:[//host][/]path[:tag,tag]`. Throws LibraryReferenceError. */
export function parseLibraryReference(text: string): LibraryReference {
  const url = splitUrl(text);
  const fault = url === undefined ? 'InvalidURL' : faultOf(url);
  if (url === undefined || fault !== undefined) throw new LibraryReferenceError(text, fault ?? 'InvalidURL');
  const [path = '', tags, ...more] = url.path.replace(/^\//, '').split(':');
  if (path === '' || more.length > 0) throw new LibraryReferenceError(text, 'RefPathNotValid');
  if (tags === '') throw new LibraryReferenceError(text, 'RefTagsNotValid');
  return {
    ...(url.host === '' ? {} : { host: url.host }),
    path,
    ...(tags === undefined ? {} : { tags: tags.split(',') }),
  };
}

function faultOf({ scheme, hasUser, query, fragment }: UrlParts): ReferenceFault | undefined {
  if (scheme !== 'library') return 'RefSchemeNotValid';
  if (hasUser) return 'RefUserNotPermitted';
  if (query !== '') return 'RefQueryNotPermitted';
  return fragment === '' ? undefined : 'RefFragmentNotPermitted';
}

/**
 * Parses `library:[//host/]path[:tag,tag]`. `library://` before one or three components names no
 * host, as people write it: `library://gateway`, `library://acme/apps/gateway`. Throws UsageError.
 */
export function parseWrittenReference(text: string): LibraryReference {
  const [, rest] = /^library:\/\/(.*)$/.exec(text) ?? [];
  const components = rest?.split('/').length;
  const isHostless = components === 1 || components === 3;
  return parseLibraryReference(isHostless ? `library:${rest ?? ''}` : text);
}

/** `library:path:tag` or `library://host/path:tag` */
export function formatLibraryReference({ host, path, tags }: LibraryReference): string {
  const place = host === undefined ? '' : `//${host.replace('%', '%25')}/`;
  return `library:${place}${path}${tags === undefined ? '' : `:${tags.join(',')}`}`;
}

const PART = '[a-z0-9]+(?:[._-][a-z0-9]+)*';
const PUSH = new RegExp(`^(?:library://)?(?:${PART}/){2}${PART}(?::${PART}(?:,${PART})*)?$`);

/** True for one component of a path, or a tag. */
export function isReferencePart(text: string): boolean {
  return new RegExp(`^${PART}$`).test(text);
}

/** True for exactly `entity/collection/container`, with any number of tags. */
export function isPushPath(text: string): boolean {
  return PUSH.test(text);
}

export interface LibraryPath {
  entity: string;
  collection: string;
  container: string;
  /** Null if there is no colon. */
  tags: string[] | null;
}

/**
 * Splits `[library://][[entity/]collection/]container[:tag,tag]`. All parts are empty for more
 * components.
 */
export function splitLibraryPath(text: string): LibraryPath {
  const components = text.replace(/^library:\/\//, '').split('/');
  if (components.length > 3) return { entity: '', collection: '', container: '', tags: [] };
  const [last = '', collection = '', entity = ''] = components.reverse();
  const [container = '', tags] = last.split(':');
  return { entity, collection, container, tags: tags === undefined ? null : tags.split(',') };
}
