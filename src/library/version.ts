import { compareVersions, validateStrict } from 'compare-versions';
import type { InferOutput } from 'valibot';
import { UserError, messageOf } from '../errors.ts';
import { VERSION } from './answers.ts';
import type { Library } from './client.ts';
import { call } from './client.ts';

/** The version of a library, and the semantic version of its API, which is empty for an old one. */
export type LibraryVersion = InferOutput<typeof VERSION>;

/** Asks the library for its version. Throws as `call`. */
export async function askVersion(library: Library): Promise<LibraryVersion> {
  return call(library, { method: 'GET', path: 'version', doing: 'asking for the version' }, VERSION);
}

/** What a library offers beyond the first version of its API. */
export interface Abilities {
  /** Uploads to presigned addresses of a storage. */
  presignedUploads: boolean;
  /** A set of tags for each architecture. */
  archTags: boolean;
}

/** Asks the library what it offers. A library that does not tell its version offers neither. */
export async function libraryAbilities(library: Library): Promise<Abilities> {
  try {
    return abilitiesOf((await askVersion(library)).apiVersion);
  } catch (error) {
    if (!(error instanceof UserError) || library.signal?.aborted === true) throw error;
    library.log.debug(messageOf(error));
    return abilitiesOf('');
  }
}

/** Returns what an API of this version offers. A malformed version offers nothing. */
export function abilitiesOf(apiVersion: string): Abilities {
  const isAtLeast = (wanted: string): boolean =>
    validateStrict(apiVersion) && compareVersions(apiVersion, wanted) >= 0;
  return {
    presignedUploads: isAtLeast('2.0.0-alpha.1'),
    archTags: isAtLeast('2.0.0-alpha.2'),
  };
}
