import { UserError, messageOf } from '../errors.ts';
import { call } from './client.ts';
import type { Library } from './client.ts';

/** What a library says of itself. */
export interface LibraryVersion {
  version: string;
  /** Semantic version of its API; empty for an old one. */
  apiVersion: string;
}

/** Asks the library for its version. Throws what `call` throws. */
export async function libraryVersion(library: Library): Promise<LibraryVersion> {
  const data = await call(library, { method: 'GET', path: 'version', doing: 'asking for the version' });
  const { version = '', apiVersion = '' } = (data ?? {}) as Partial<LibraryVersion>;
  return { version, apiVersion };
}

/** True if the library offers presigned uploads and tags per architecture; a library that doesn't tell its version doesn't. */
export async function offersVersion2(library: Library): Promise<boolean> {
  try {
    return isVersion2((await libraryVersion(library)).apiVersion);
  } catch (error) {
    if (!(error instanceof UserError) || library.signal?.aborted === true) throw error;
    library.log.debug(messageOf(error));
    return false;
  }
}

const PATTERN = /^(\d+)\.(\d+)\.(\d+)(?:-([0-9A-Za-z.-]+))?$/;

/** True for 2.0.0-alpha.2 and whatever follows it. https://semver.org/#spec-item-11 */
export function isVersion2(apiVersion: string): boolean {
  const [, major, minor, patch, preRelease] = PATTERN.exec(apiVersion) ?? [];
  if (major === undefined || Number(major) < 2) return false;
  if (Number(major) > 2 || Number(minor) > 0 || Number(patch) > 0 || preRelease === undefined) return true;
  const [, alpha] = /^alpha\.(\d+)/.exec(preRelease) ?? [];
  return alpha === undefined ? preRelease > 'alpha' : Number(alpha) >= 2;
}
