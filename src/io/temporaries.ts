import { readdirSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** What exists only while it is written or used: files and folders, by path. */
const paths = new Set<string>();

/** Remembers a temporary path, so that it is deleted if the process has to end early. */
export function addTemporary(path: string): void {
  paths.add(path);
}

/** Forgets a path that was deleted or has got its final name. */
export function forgetTemporary(path: string): void {
  paths.delete(path);
}

/** The start of the names that `temporaryBeside` gives in this process, in all its threads. */
export const OWN_PREFIX = `.tmp-${process.pid}-`;

/**
 * Deletes all temporary files and folders of this process, before it ends early. Also deletes those
 * of its threads that are in the same folders. Faults are ignored.
 */
export function deleteTemporaries(): void {
  for (const path of paths) {
    deleteQuietly(path);
    if (basename(path).startsWith(OWN_PREFIX)) deleteOthersIn(dirname(path));
  }
  paths.clear();
}

function deleteOthersIn(folder: string): void {
  try {
    for (const name of readdirSync(folder))
      if (name.startsWith(OWN_PREFIX)) deleteQuietly(join(folder, name));
  } catch {
    // The folder is gone.
  }
}

function deleteQuietly(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true });
  } catch {
    // The next run sweeps it.
  }
}
