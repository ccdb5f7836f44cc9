import type { Stats } from 'node:fs';
import { lstat } from 'node:fs/promises';
import { UsageError } from '../../errors.ts';
import { ensureFolder, fileError } from '../../io/files.ts';
import { isMissing } from '../../io/readUserFile.ts';

const WRITABLE_BY_OTHERS = 0o022;

/**
 * Makes sure that a folder exists which only its owner, this user, can write to. A new one gets
 * mode 0700. Throws UsageError for any other folder.
 */
export async function ensurePrivateFolder(path: string): Promise<void> {
  await ensureFolder(path, 0o700).catch((error: unknown) => {
    throw fileError(error, `writing ${path}`);
  });
  if (!(await isPrivateFolder(path))) throw notPrivate(path);
}

/** False if the folder is missing. Throws UsageError if somebody else could write to it. */
export async function hasPrivateFolder(path: string): Promise<boolean> {
  if (await isPrivateFolder(path)) return true;
  if ((await statOf(path)) === undefined) return false;
  throw notPrivate(path);
}

async function isPrivateFolder(path: string): Promise<boolean> {
  const found = await statOf(path);
  const isOwn = found?.uid === process.geteuid?.();
  return found?.isDirectory() === true && isOwn && (found.mode & WRITABLE_BY_OTHERS) === 0;
}

async function statOf(path: string): Promise<Stats | undefined> {
  return lstat(path).catch((error: unknown) => {
    if (isMissing(error)) return undefined;
    throw fileError(error, `reading ${path}`);
  });
}

function notPrivate(path: string): UsageError {
  return new UsageError(`${path}: expected a folder of this user that nobody else can write to`, {
    hint: `remove it, or set its mode: chmod 700 ${path}`,
  });
}
