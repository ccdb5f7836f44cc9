import { stat } from 'node:fs/promises';
import { constants, gunzipSync } from 'node:zlib';
import { NotFoundError, UnsupportedError, systemCodeOf } from '../errors.ts';
import { CONTENT_START, describeContent, emptyFile, isLfsPointer } from '../compress/describeContent.ts';
import { compressionOf } from '../compress/magic.ts';
import { fileError } from '../io/files.ts';
import { firstBytes } from '../io/files.ts';
import { mayBeginTar } from '../tar/tarRead.ts';
import type { Archive } from './archive.ts';
import { openFolder } from './folder.ts';
import { openGzipFile } from './gzipFile.ts';
import { openTarFile } from './tarFile.ts';

const HINT = 'give an OCI archive, an OCI layout folder, or what docker save writes; each may be gzipped';

/**
 * Opens an image archive by its content, never by its name. Throws NotFoundError if there is no
 * such file, UsageError if it can't be read, UnsupportedError if it is not an archive, and
 * IntegrityError if it is empty or damaged.
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

/**
 * Returns a file system fault as an error that the user can act on, and any other error as it is.
 */
export function archiveError(error: unknown, where: string): unknown {
  if (systemCodeOf(error) === 'ENOENT') {
    return new NotFoundError(`${where}: no such file or folder`, { hint: 'check the path', cause: error });
  }
  return fileError(error, `reading ${where}`);
}

async function openFile(path: string, where: string, signal?: AbortSignal): Promise<Archive> {
  const start = await firstBytes(path, CONTENT_START);
  if (isLfsPointer(start)) throw lfsPointer(where);
  if (start.length === 0) throw emptyFile(where);
  const compression = compressionOf(start);
  if (compression === 'none') {
    expectTar(start, where);
    return openTarFile(path, where);
  }
  if (compression === 'gzip') {
    expectTar(unpackedStart(start), where);
    return openGzipFile(path, where, signal);
  }
  throw new UnsupportedError(`${where}: compressed with ${compression}`, {
    hint: `unpack it first, e.g. with ${compression} -d`,
  });
}

/** As much of the content as the first bytes of a gzip file hold; nothing if they are damaged. */
function unpackedStart(start: Buffer): Buffer {
  try {
    return gunzipSync(start, { finishFlush: constants.Z_SYNC_FLUSH });
  } catch {
    return Buffer.alloc(0);
  }
}

/** Throws UnsupportedError, which says what it is, for content that is no tar archive. */
function expectTar(start: Buffer, where: string): void {
  if (start.length === 0 || mayBeginTar(start)) return;
  throw new UnsupportedError(`${where}: expected an image archive, found ${describeContent(start)}`, {
    hint: HINT,
  });
}

function lfsPointer(where: string): UnsupportedError {
  return new UnsupportedError(`${where}: a Git LFS pointer, not the archive itself`, {
    hint: 'fetch the file with git lfs pull',
  });
}
