import type { Parts, RemoteFile } from '../download/remoteFile.ts';
import { UsageError } from '../errors.ts';
import { registerSecret } from '../io/redact.ts';
import { hexOf } from '../oci/digest.ts';
import type { Library } from './client.ts';
import type { ExpectedFile } from './images.ts';
import { expectedFile, getImage } from './images.ts';
import type { FileKey } from './openFile.ts';
import { locationIn, openDirectly, openStored, requestFile } from './openFile.ts';
import { registryOf } from './redirect.ts';
import { registryFile } from './registryFile.ts';
import { askVersion } from './version.ts';

export interface LocatedFile extends RemoteFile {
  /** True if the library itself says that this is a Singularity image. */
  isSif: boolean;
}

/** The parts in which libraries' own clients download. */
export const LIBRARY_PARTS: Parts = { size: 5 << 20, workers: 4 };

/**
 * Finds where a file is: in a registry, in a storage that the library redirects to (both in parts),
 * or in the library itself (one stream). Without `expected` the library is asked for size and hash,
 * if parts need them. Throws NotFoundError, DeniedError, and UsageError for a path with a colon.
 */
export async function locateFile(
  library: Library,
  key: FileKey,
  parts: Parts = LIBRARY_PARTS,
  expected: ExpectedFile = {},
): Promise<LocatedFile> {
  const place = await registryOf(library, key.path, 'pull');
  if (place === undefined) return locateInLibrary(library, key, parts, expected);
  registerSecret(place.token);
  const file = await registryFile(library, place, key);
  const { digest, size } = file.descriptor;
  const open: RemoteFile['open'] = (range, signal) => file.open(range, signal);
  return { what: `${key.path}:${key.tag}`, key: hexOf(digest), size, digest, parts, open, isSif: file.isSif };
}

/**
 * As `locateFile`, for a library that keeps its files itself. Without `parts` the file comes in one
 * stream.
 */
export async function locateInLibrary(
  library: Library,
  key: FileKey,
  parts?: Parts,
  expected: ExpectedFile = {},
): Promise<LocatedFile> {
  if (key.path.includes(':')) throw new UsageError(`malformed image path: ${key.path}`);
  const what = `${key.path}:${key.tag}`;
  await logVersion(library);
  const first = await requestFile(library, key, undefined, library.signal);
  const location = locationIn(first, what);
  const isKnown = location === undefined || expected.size !== undefined || expected.digest !== undefined;
  const known = isKnown ? expected : await expectedOf(library, key);
  if (known.digest === undefined) library.log.debug(`${what}: the library tells no SHA-256 of it`);
  const open =
    location === undefined ? openDirectly(library, key, first) : openStored(library, key, location);
  const inParts = location === undefined ? undefined : parts;
  return { what, key: keyOf(key, known), ...known, parts: inParts, open, isSif: false };
}

async function logVersion(library: Library): Promise<void> {
  await askVersion(library).then(
    ({ version }) => library.log.debug(`${library.base}: version ${version}`),
    () => library.signal?.throwIfAborted(),
  );
}

async function expectedOf(library: Library, { path, tag, arch }: FileKey): Promise<ExpectedFile> {
  const ref = `${path}:${tag}`;
  return expectedFile(await getImage(library, { ref, arch }), ref);
}

/**
 * Names the content in the names of its unfinished downloads. Without a digest, other content may
 * have the same name.
 */
function keyOf({ path, tag, arch }: FileKey, { digest }: ExpectedFile): string {
  return digest === undefined ? `${path}-${tag}-${arch}`.replace(/[^A-Za-z0-9._-]/g, '_') : hexOf(digest);
}
