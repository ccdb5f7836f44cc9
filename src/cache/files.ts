import { constants } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { open } from 'node:fs/promises';
import { UsageError, systemCodeOf } from '../errors.ts';
import { OWN_FILE_ONLY, fileError, isTrusted, writeAtomically } from '../io/files.ts';
import type { Digest } from '../oci/digest.ts';
import { digestOf } from '../oci/digest.ts';

/** Documents of the cache are smaller. */
const LARGEST = 64 << 20;
/** No such file, a link, a socket, and a NUL in the path. */
const NOT_OURS = new Set(['ENOENT', 'ELOOP', 'ENXIO', 'ERR_INVALID_ARG_VALUE']);

/**
 * Reads a small file of the cache. Returns undefined for what `statOwnFile` does not find. Throws
 * UsageError if the file can't be read.
 */
export async function readOwnFile(path: string): Promise<Buffer | undefined> {
  try {
    return await readRegular(path);
  } catch (error) {
    if (NOT_OURS.has(systemCodeOf(error) ?? '')) return undefined;
    throw fileError(error, `reading ${path}`);
  }
}

async function readRegular(path: string): Promise<Buffer | undefined> {
  const file: FileHandle = await open(path, constants.O_RDONLY | OWN_FILE_ONLY);
  try {
    const found = await file.stat();
    if (!found.isFile() || !(await isTrusted(found, path))) return undefined;
    if (found.size > LARGEST)
      throw new UsageError(`reading ${path}: expected a document, found ${found.size} bytes`);
    return await file.readFile();
  } finally {
    await file.close();
  }
}

/** Like `readOwnFile`, but returns undefined as well if the bytes do not have the digest. */
export async function readOwnBytes(path: string, digest: Digest): Promise<Buffer | undefined> {
  const bytes = await readOwnFile(path);
  return bytes !== undefined && digestOf(bytes) === digest ? bytes : undefined;
}

/** What the cache holds may be private, so nobody else may look into its folders. */
export const PRIVATE_FOLDER = 0o700;

/** Like `writeAtomically`, in a folder of the cache. */
export function writeInCache<T>(path: string, produce: (temporary: string) => Promise<T>): Promise<T> {
  return writeAtomically(path, produce, PRIVATE_FOLDER);
}
