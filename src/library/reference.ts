import { UsageError } from '../errors.ts';
import { splitUrl } from './url.ts';
import type { UrlParts } from './url.ts';

/** What is wrong with a library reference. */
export type ReferenceFault =
  | 'InvalidURL'
  | 'RefSchemeNotValid'
  | 'RefUserNotPermitted'
  | 'RefQueryNotPermitted'
  | 'RefFragmentNotPermitted'
  | 'RefPathNotValid'
  | 'RefTagsNotValid';

/** A reference that is none, and why. */
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
  InvalidURL: 'it is no URL',
  RefSchemeNotValid: 'it does not begin with library:',
  RefUserNotPermitted: 'it may not name a user',
  RefQueryNotPermitted: 'it may not have a query',
  RefFragmentNotPermitted: 'it may not have a fragment',
  RefPathNotValid: 'it has no path, or more than one colon in it',
  RefTagsNotValid: 'no tag follows its colon',
};

/** Something in a container library. */
export interface LibraryReference {
  /** With the port; undefined for the library that is set up. */
  host?: string;
  /** `entity/collection/container` */
  path: string;
  /** Undefined where none are given. */
  tags?: string[];
}

/** True for text that says by its scheme that it means a library; text without one never does. */
export function isLibraryReference(text: string): boolean {
  return /^library:/i.test(text);
}

/** Parses `library:[//host][/]path[:tag,tag]`; throws LibraryReferenceError. */
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
 * As `parseLibraryReference`, but `library://` before one or three components (`library://gateway`,
 * `library://acme/apps/gateway`) names no host, as people write it. Throws LibraryReferenceError.
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
