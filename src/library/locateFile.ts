import { UsageError } from '../errors.ts';
import { registerSecret } from '../io/redact.ts';
import type { Parts, RemoteFile } from '../download/remoteFile.ts';
import type { Digest } from '../oci/digest.ts';
import { hexOf } from '../oci/digest.ts';
import type { Library } from './client.ts';
import { digestIn, getImage } from './images.ts';
import { askForFile, locationOf, openDirectly, openStored } from './openFile.ts';
import type { FileKey } from './openFile.ts';
import { registryOf } from './redirect.ts';
import { registryFile } from './registryFile.ts';
import { libraryVersion } from './version.ts';

/** What a download must turn out to be, where that is known beforehand. */
export interface ExpectedFile {
  digest?: Digest | undefined;
  /** Bytes. */
  size?: number | undefined;
}

export interface LocatedFile extends RemoteFile {
  /** True where the library itself says that this is a Singularity image. */
  isSif: boolean;
}

/** Parts as libraries' own clients fetch them. */
export const LIBRARY_PARTS: Parts = { size: 5 << 20, workers: 4 };

/**
 * Finds out where a file is kept: in a registry, in a storage that the library redirects to (in parts then), or in the
 * library itself (one stream). Without `expected` the library is asked for size and hash where parts need them. Throws
 * NotFoundError, DeniedError, UsageError for a path with a colon.
 */
export async function locateFile(
  library: Library,
  key: FileKey,
  parts: Parts = LIBRARY_PARTS,
  expected: ExpectedFile = {},
): Promise<LocatedFile> {
  const place = await registryOf(library, key.path, 'pull');
  if (place === undefined) return fileInLibrary(library, key, parts, expected);
  registerSecret(place.token);
  const file = await registryFile(library, place, key);
  const { digest, size } = file.descriptor;
  const open: RemoteFile['open'] = (range, signal) => file.open(range, signal);
  return { what: `${key.path}:${key.tag}`, key: hexOf(digest), size, digest, parts, open, isSif: file.isSif };
}

/** As `locateFile`, of a library that keeps its files itself; one stream without `parts`. */
export async function fileInLibrary(
  library: Library,
  key: FileKey,
  parts?: Parts,
  expected: ExpectedFile = {},
): Promise<LocatedFile> {
  if (key.path.includes(':')) throw new UsageError(`malformed image path: ${key.path}`);
  const what = `${key.path}:${key.tag}`;
  await sayVersion(library);
  const first = await askForFile(library, key, undefined, library.signal);
  const location = locationOf(first, what);
  const known =
    location === undefined || expected.size !== undefined ? expected : await expectedOf(library, key);
  if (known.digest === undefined) library.log.debug(`${what}: the library tells no SHA-256 of it`);
  const open =
    location === undefined ? openDirectly(library, key, first) : openStored(library, key, location);
  const inParts = location === undefined ? undefined : parts;
  return { what, key: nameOf(key, known), ...known, parts: inParts, open, isSif: false };
}

async function sayVersion(library: Library): Promise<void> {
  await libraryVersion(library).then(
    ({ version }) => library.log.debug(`${library.base}: version ${version}`),
    () => library.signal?.throwIfAborted(),
  );
}

async function expectedOf(library: Library, { path, tag, arch }: FileKey): Promise<ExpectedFile> {
  const image = await getImage(library, { ref: `${path}:${tag}`, arch });
  return { digest: digestIn(image), size: image.size };
}

/** A name for what is kept of it; without a digest, one that other content could have too. */
function nameOf({ path, tag, arch }: FileKey, { digest }: ExpectedFile): string {
  return digest === undefined ? `${path}-${tag}-${arch}`.replace(/[^A-Za-z0-9._-]/g, '_') : hexOf(digest);
}
