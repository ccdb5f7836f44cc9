import { IntegrityError, UsageError } from '../errors.ts';
import type { Digest } from '../oci/digest.ts';
import { isDigest } from '../oci/digest.ts';
import { call, find } from './client.ts';
import type { Library } from './client.ts';

/** A file in the library; the names are its API's own. */
export interface LibraryImage {
  id: string;
  /** `sha256.<hex>` of the file, or `sif.<uuid>`; not an OCI digest. */
  hash?: string;
  /** Bytes. */
  size?: number;
  /** False while its bytes are missing. */
  uploaded?: boolean;
  arch?: string;
  tags?: string[];
}

/** Which file is meant: `entity/collection/container:tag` for one architecture (empty for any). */
export interface ImageKey {
  /** `path:tag` */
  ref: string;
  arch: string;
}

/** Without an architecture the library chooses. */
export function archQuery(arch: string): Record<string, string> {
  return arch === '' ? {} : { arch };
}

function requestFor({ ref, arch }: ImageKey, doing: string) {
  return { path: `v1/images/${ref}`, query: archQuery(arch), doing };
}

/** What the library knows of an image, without downloading it. Throws NotFoundError, DeniedError, NetworkError. */
export async function getImage(library: Library, key: ImageKey): Promise<LibraryImage> {
  const request = requestFor(key, `looking up ${key.ref}`);
  return imageOf(await call(library, { ...request, method: 'GET' }), key);
}

/** As `getImage`, but undefined where there is none. */
export async function lookUpImage(library: Library, key: ImageKey): Promise<LibraryImage | undefined> {
  const request = requestFor(key, `looking up ${key.ref}`);
  const data = await find(library, { ...request, method: 'GET' });
  return data === undefined ? undefined : imageOf(data, key);
}

function imageOf(data: unknown, { ref }: ImageKey): LibraryImage {
  const image = (data ?? {}) as LibraryImage;
  if (typeof image.id === 'string' && image.id !== '') return image;
  throw new IntegrityError(`looking up ${ref}: the library's answer names no image`);
}

/** Deletes an image of one architecture. Throws UsageError, before any request, without a reference and architecture. */
export async function deleteImage(library: Library, { ref, arch }: ImageKey): Promise<void> {
  if (ref === '' || arch === '')
    throw new UsageError('deleting an image: a reference and an architecture are needed');
  await call(library, {
    method: 'DELETE',
    path: `v1/images/${ref}`,
    query: { arch },
    doing: `deleting ${ref}`,
  });
}

/** The digest of the file's bytes, where the library's hash is one. */
export function digestIn({ hash = '' }: LibraryImage): Digest | undefined {
  const digest = hash.replace(/^sha256\./, 'sha256:');
  return isDigest(digest) ? digest : undefined;
}

/** What the library calls a file with this digest. */
export function hashOf(digest: Digest): string {
  return digest.replace(':', '.');
}
