import { stat } from 'node:fs/promises';
import { NotFoundError, UnsupportedError, systemCodeOf } from '../errors.ts';
import { compressionOf } from '../compress/magic.ts';
import { fileError } from '../io/files.ts';
import { firstBytes } from '../io/files.ts';
import type { Archive } from './archive.ts';
import { openFolder } from './folder.ts';
import { openGzipFile } from './gzipFile.ts';
import { openTarFile } from './tarFile.ts';

const LONGEST_MAGIC = 6;
const HINT = 'give an OCI archive, an OCI layout folder, or what docker save writes; each may be gzipped';

/**
 * Opens an image archive by what it contains, never by its name. Throws NotFoundError where there is none, UsageError when it
 * can't be read, UnsupportedError for what is no archive.
 */
export async function openArchive(path: string, where: string, signal?: AbortSignal): Promise<Archive> {
  try {
    const found = await stat(path);
    if (found.isDirectory()) return await openFolder(path, where);
    if (!found.isFile()) throw new UnsupportedError(`${where}: not a regular file`, { hint: HINT });
    return await openFile(path, where, signal);
  } catch (error) {
    throw archiveError(error, where);
  }
}

/** A file system fault as an error that the user can act on; any other error as it is. */
export function archiveError(error: unknown, where: string): unknown {
  if (systemCodeOf(error) === 'ENOENT') {
    return new NotFoundError(`${where}: no such file or folder`, { hint: 'check the path', cause: error });
  }
  return fileError(error, `reading ${where}`);
}

async function openFile(path: string, where: string, signal?: AbortSignal): Promise<Archive> {
  const compression = compressionOf(await firstBytes(path, LONGEST_MAGIC));
  if (compression === 'none') return openTarFile(path, where);
  if (compression === 'gzip') return openGzipFile(path, where, signal);
  throw new UnsupportedError(`${where}: compressed with ${compression}`, {
    hint: `unpack it first, e.g. with ${compression} -d`,
  });
}
