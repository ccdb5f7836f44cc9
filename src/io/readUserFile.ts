import type { Stats } from 'node:fs';
import { constants } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { NotFoundError, UsageError, systemCodeOf } from '../errors.ts';
import { fileError } from './files.ts';

/** Bytes. Larger than every file that is read whole. */
export const LARGEST_USER_FILE = 64 << 20;
/** A named pipe opens at once instead of waiting for its writer. */
const FLAGS = constants.O_RDONLY | constants.O_NONBLOCK;

/** Reading one file, for messages. */
export interface FilePurpose {
  /** What is done, like `reading the map /etc/map.yaml`. */
  doing: string;
  /** What to try if the file does not exist. */
  hint?: string;
}

/**
 * Reads a file whole. Throws NotFoundError if it does not exist, and UsageError if it is a folder,
 * device or named pipe, is larger than 64 MiB, or can't be read.
 */
export async function readUserFile(
  path: string,
  { doing, hint = 'check the path' }: FilePurpose,
): Promise<Buffer> {
  try {
    return await readRegular(path, doing);
  } catch (error) {
    throw readingError(error, { doing, hint });
  }
}

/**
 * A NotFoundError for a file that does not exist, a UsageError for another fault of the file system
 * that a user can fix, or else `error`.
 */
export function readingError(error: unknown, { doing, hint = 'check the path' }: FilePurpose): unknown {
  if (isMissing(error)) return new NotFoundError(`${doing}: no such file`, { hint });
  return fileError(error, doing);
}

/** As `readUserFile`, for a file that may be missing or a folder: then returns undefined. */
export async function readUserFileIfAny(path: string): Promise<Buffer | undefined> {
  try {
    if ((await stat(path)).isDirectory()) return undefined;
    return await readRegular(path, `reading ${path}`);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw fileError(error, `reading ${path}`);
  }
}

/** True if the error of the file system says that there is no file at a path. Pure. */
export function isMissing(error: unknown): boolean {
  return ['ENOENT', 'ENOTDIR'].includes(systemCodeOf(error) ?? '');
}

/**
 * Size and times of a file that will be read in pieces. Throws NotFoundError if it does not exist,
 * and UsageError if it is a folder, device or named pipe.
 */
export async function statUserFile(path: string): Promise<Stats> {
  const doing = `reading ${path}`;
  const found = await stat(path).catch((error: unknown) => {
    throw readingError(error, { doing, hint: 'check the name' });
  });
  refuseOddFile(found, doing);
  return found;
}

function refuseOddFile(found: Stats, doing: string): void {
  if (found.isFile()) return;
  const kind = found.isDirectory() ? 'a folder' : 'a device or named pipe';
  throw new UsageError(`${doing}: expected a regular file, found ${kind}`, { hint: 'name a file' });
}

async function readRegular(path: string, doing: string): Promise<Buffer> {
  const file = await open(path, FLAGS);
  try {
    const found = await file.stat();
    refuseOddFile(found, doing);
    if (found.size > LARGEST_USER_FILE)
      throw new UsageError(`${doing}: it has more than ${LARGEST_USER_FILE} bytes`);
    return await file.readFile();
  } finally {
    await file.close();
  }
}
