import { randomBytes } from 'node:crypto';
import type { Stats } from 'node:fs';
import { constants } from 'node:fs';
import { lstat, mkdir, open, readdir, rename, rm, stat, statfs } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { UsageError, messageOf, systemCodeOf } from '../errors.ts';
import type { Hint } from '../errors.ts';
import { OWN_PREFIX, addTemporary, forgetTemporary } from './temporaries.ts';

/**
 * Lets `produce` write a new file under a temporary name next to `path`, and moves it to `path`
 * once it is complete. A failure deletes the temporary file and leaves `path` as it was. Faults of
 * the file system become UsageErrors that name `path`.
 */
export async function writeAtomically<T>(
  path: string,
  produce: (temporary: string) => Promise<T>,
  folderMode = 0o777,
): Promise<T> {
  const temporary = temporaryBeside(path);
  try {
    await ensureFolder(dirname(path), folderMode);
    const result = await produce(temporary);
    await rename(temporary, path);
    return result;
  } catch (error) {
    await rm(temporary, { force: true, recursive: true }).catch(() => undefined);
    throw fileError(error, `writing ${path}`);
  } finally {
    forgetTemporary(temporary);
  }
}

/**
 * Creates a folder and those above it, with `mode` less the umask, if they do not exist. Unlike
 * Node's recursive `mkdir` it ends where the system takes no folder, as in /proc. Throws the
 * system's error.
 */
export async function ensureFolder(path: string, mode = 0o777): Promise<void> {
  if (await makeFolder(path, mode)) return;
  await ensureFolder(dirname(path), mode);
  if (!(await makeFolder(path, mode))) await mkdir(path, mode);
}

/** Returns false if the folder above is missing. */
async function makeFolder(path: string, mode: number): Promise<boolean> {
  try {
    await mkdir(path, mode);
    return true;
  } catch (error) {
    const code = systemCodeOf(error);
    if (code === 'ENOENT' && dirname(path) !== path) return false;
    if (code !== 'ENOENT' && (await isFolder(path))) return true;
    throw error;
  }
}

async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isDirectory() === true;
}

/** The start of temporary names. Such files are left behind only by killed runs. */
export const TEMPORARY_PREFIX = '.tmp-';

/**
 * A new name in the folder of `path`, so that the rename to `path` is atomic. What has the name is
 * deleted if a signal ends the process early.
 */
export function temporaryBeside(path: string): string {
  const name = `${OWN_PREFIX}${randomBytes(6).toString('hex')}-${basename(path)}`;
  const temporary = join(dirname(path), name);
  addTemporary(temporary);
  return temporary;
}

const CAUSES: Record<string, { what: string; hint: Hint }> = {
  ENOSPC: {
    what: 'the disk is full',
    hint: ({ option }) =>
      `free some space, or choose another folder with ${option('cache-dir')} or ${option('artifact-filename')}`,
  },
  EFBIG: {
    what: 'the file is too large for this disk or user',
    hint: 'raise the limit (ulimit -f), or choose another folder',
  },
  EDQUOT: { what: 'the disk quota is used up', hint: 'free some space, or choose another folder' },
  EACCES: { what: 'permission denied', hint: 'check the permissions of the file and its folder' },
  EPERM: { what: 'operation not permitted', hint: 'check the permissions of the file and its folder' },
  EROFS: { what: 'the file system is read-only', hint: 'choose another folder' },
  ENOENT: { what: 'no such file or folder', hint: 'check the path' },
  EISDIR: { what: 'it is a folder', hint: 'name a file' },
  EEXIST: { what: 'a part of the path is a file', hint: 'check the path' },
  ENOTDIR: { what: 'a part of the path is a file', hint: 'check the path' },
  ENAMETOOLONG: { what: 'the name is too long', hint: 'check the path' },
  ELOOP: { what: 'symbolic links that point to each other', hint: 'check the path' },
  EIO: { what: 'the disk reports an error', hint: 'check the disk, or choose another folder' },
  EMFILE: { what: 'too many files are open', hint: 'raise the limit (ulimit -n)' },
};

/**
 * A UsageError for a fault of the file system that a user can fix, or else `error`. `doing` names
 * the action.
 */
export function fileError(error: unknown, doing: string): unknown {
  if (isNulError(error)) return new UsageError(`${doing}: a path holds a NUL character`, { cause: error });
  const cause = CAUSES[systemCodeOf(error) ?? ''];
  if (cause === undefined || error instanceof UsageError) return error;
  return new UsageError(`${doing}: ${cause.what}`, { hint: cause.hint, cause: messageOf(error) });
}

/**
 * As `fileError`, for a fault that no caller caught: any access to a disk can fail. Returns errors
 * of other kinds unchanged.
 */
export function unforeseenFileError(error: unknown): unknown {
  if (isNulError(error)) return fileError(error, 'using a file');
  const { syscall, path } = error as Partial<NodeJS.ErrnoException>;
  if (syscall === undefined || systemCodeOf(error) === undefined) return error;
  return fileError(error, `${syscall} of ${path === undefined ? 'a file' : JSON.stringify(path)}`);
}

/** True for Node's refusal of a path or program argument with NUL, which no system call takes. */
function isNulError(error: unknown): boolean {
  return systemCodeOf(error) === 'ERR_INVALID_ARG_VALUE' && messageOf(error).includes('without null bytes');
}

/** True if there is a regular file at `path`, also behind a link. */
export async function isFile(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isFile() === true;
}

/** True if `path` is a folder that can be read and is not empty. */
export async function hasEntries(path: string): Promise<boolean> {
  return (await readdir(path).catch(() => [])).length > 0;
}

/** Bytes of the file at `path`, or undefined if it does not exist. */
export async function fileSize(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * Flags to open a file that `statOwnFile` found, in case that it was replaced meanwhile: they
 * refuse a link, and do not wait for the other end of a FIFO.
 */
export const OWN_FILE_ONLY = constants.O_NOFOLLOW | constants.O_NONBLOCK;

/**
 * Returns the state of a file in a folder of this tool. Returns undefined if there is none, and for
 * what this tool never puts there: a folder, a link, a FIFO, a device, and a file of another user
 * who owns neither the folder nor the system.
 */
export async function statOwnFile(path: string): Promise<Stats | undefined> {
  try {
    const found = await lstat(path);
    return found.isFile() && (await isTrusted(found, path)) ? found : undefined;
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Returns the bytes of a file that `statOwnFile` finds. */
export async function sizeOfOwnFile(path: string): Promise<number | undefined> {
  return (await statOwnFile(path))?.size;
}

/** Returns false for a file of another user who owns neither its folder nor the system. */
export async function isTrusted({ uid }: Stats, path: string): Promise<boolean> {
  return isOwnUser(uid) || uid === (await lstat(dirname(path))).uid;
}

/** Returns true for the user of this process and for root. */
export function isOwnUser(uid: number): boolean {
  return uid === 0 || process.geteuid === undefined || uid === process.geteuid();
}

/** Bytes. */
export interface Disk {
  total: number;
  free: number;
}

/** Returns the size of the disk that holds `path`, and what users other than root may still use. */
export async function diskOf(path: string): Promise<Disk> {
  const { bsize, blocks, bavail } = await statfs(path);
  return { total: bsize * blocks, free: bsize * bavail };
}

/**
 * Reads the first `length` bytes of the file at `path`, fewer if it is shorter. Throws the system's
 * error, and UsageError for a device or named pipe, which may have no end or no writer.
 */
export async function firstBytes(path: string, length: number): Promise<Buffer> {
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const found = await file.stat();
    if (!found.isFile() && !found.isDirectory()) {
      throw new UsageError(`${path}: expected a regular file, found a device or named pipe`);
    }
    const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}
