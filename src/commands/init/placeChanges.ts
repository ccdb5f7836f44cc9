import { constants } from 'node:fs';
import { access, lstat, realpath } from 'node:fs/promises';
import { dirname, relative } from 'node:path';
import { isInside } from '../../compose/ship/leftOut.ts';
import { UsageError, systemCodeOf } from '../../errors.ts';
import { fileError } from '../../io/files.ts';

/** The new content of a file. */
export interface Change {
  /** Absolute. */
  path: string;
  text: string;
}

/**
 * Returns the changes with the real places of their files: links inside `top` are followed. Throws
 * UsageError for what could not be written, such as a folder of that name, and for a link out of
 * `top`. Writes nothing.
 */
export async function placeChanges(changes: readonly Change[], top: string): Promise<Change[]> {
  const root = await realpath(top);
  return Promise.all(
    changes.map(async (change) => {
      try {
        return { ...change, path: await placeFor(change.path, root) };
      } catch (error) {
        throw fileError(error, `writing ${change.path}`);
      }
    }),
  );
}

async function placeFor(path: string, root: string): Promise<string> {
  const isThere = await exists(path);
  const real = await realpath(isThere ? path : await existingFolder(path));
  if (!isInside(relative(root, real))) {
    throw new UsageError(`writing ${path}: it would be written to ${real}, a link out of ${root}`, {
      hint: 'replace the link by a file or folder, or write the file by hand',
    });
  }
  if (isThere && !(await lstat(real)).isFile()) {
    throw new UsageError(`writing ${path}: expected a regular file or none, found something else`, {
      hint: 'move it away',
    });
  }
  await access(isThere ? dirname(real) : real, constants.W_OK);
  return isThere ? real : path;
}

/** True for a link as well, wherever it leads. */
async function exists(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return false;
    throw error;
  }
}

async function existingFolder(path: string): Promise<string> {
  const folder = dirname(path);
  return (await exists(folder)) || folder === path ? folder : existingFolder(folder);
}
