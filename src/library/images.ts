import { IntegrityError, UsageError } from '../errors.ts';
import type { Digest } from '../oci/digest.ts';
import { isDigest } from '../oci/digest.ts';
import type { ImageAnswer } from './answers.ts';
import { ANYTHING, IMAGE } from './answers.ts';
import type { Library } from './client.ts';
import { call, callIfThere } from './client.ts';

/** Names one file: `entity/collection/container:tag` for one architecture. */
export interface ImageKey {
  /** `path:tag` */
  ref: string;
  /** Empty for any. */
  arch: string;
}

/** What a file's bytes must be, if the library tells. */
export interface ExpectedFile {
  digest?: Digest | undefined;
  /** Bytes. */
  size?: number | undefined;
}

/** Without an architecture the library chooses. */
export function archQuery(arch: string): Record<string, string> {
  return arch === '' ? {} : { arch };
}

function requestFor({ ref, arch }: ImageKey) {
  return {
    method: 'GET',
    path: `v1/images/${ref}`,
    query: archQuery(arch),
    doing: `looking up ${ref}`,
  } as const;
}

/**
 * Returns what the library knows of an image. Throws NotFoundError, DeniedError, NetworkError and
 * IntegrityError.
 */
export async function getImage(library: Library, key: ImageKey): Promise<ImageAnswer> {
  return call(library, requestFor(key), IMAGE);
}

/** As `getImage`, but returns undefined if there is no such image. */
export async function lookUpImage(library: Library, key: ImageKey): Promise<ImageAnswer | undefined> {
  return callIfThere(library, requestFor(key), IMAGE);
}

/**
 * Deletes an image of one architecture. Throws UsageError, before any request, without a reference
 * or architecture.
 */
export async function deleteImage(library: Library, { ref, arch }: ImageKey): Promise<void> {
  if (ref === '' || arch === '') {
    throw new UsageError('deleting an image: a reference and an architecture are needed');
  }
  const request = { path: `v1/images/${ref}`, query: { arch }, doing: `deleting ${ref}` };
  await call(library, { method: 'DELETE', ...request }, ANYTHING);
}

/**
 * Returns the digest of the file's bytes, in any spelling of the hash. Undefined if the hash is not
 * a SHA-256.
 */
function digestIn({ hash = '' }: Pick<ImageAnswer, 'hash'>): Digest | undefined {
  const digest = `sha256:${hash.toLowerCase().replace(/^sha256[.:]/, '')}`;
  return isDigest(digest) ? digest : undefined;
}

/**
 * Returns what the file's bytes must be. A size of 0 means that the library does not know it;
 * without a digest, nothing would tell a whole file from an empty one then, so that throws
 * IntegrityError. `what` names the file.
 */
export function expectedFile(image: Pick<ImageAnswer, 'hash' | 'size'>, what: string): ExpectedFile {
  const digest = digestIn(image);
  const { size } = image;
  if (size !== undefined && (!Number.isSafeInteger(size) || size < 0)) {
    throw new IntegrityError(`${what}: the library tells a size of ${String(image.size)}`);
  }
  if (size !== 0) return { digest, size };
  if (digest !== undefined) return { digest };
  throw new IntegrityError(`${what}: the library tells a size of 0 and no SHA-256`, {
    hint: 'push the file again with a current client',
  });
}

/** Returns the library's name of a file with this digest. */
export function hashOf(digest: Digest): string {
  return digest.replace(':', '.');
}
