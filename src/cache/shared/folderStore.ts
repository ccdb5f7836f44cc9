import { copyFile, lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { IntegrityError } from '../../errors.ts';
import type { EntryStore, FoundEntry } from '../../oci/entryStore.ts';
import { fileError, writeAtomically } from '../../io/files.ts';
import { isMissing } from '../../io/readUserFile.ts';
import { digestOfFile } from '../../io/verify.ts';

/** Entries as files of a folder, which is created with the first entry. */
export function folderStore(folder: string): EntryStore {
  const pathOf = (name: string): string => join(folder, name);
  return {
    place: folder,
    fetch: (name, path, most) => copyEntry(pathOf(name), path, most),
    findSame: (name, path) => findSameFile(pathOf(name), path),
    store: (name, path) => writeAtomically(pathOf(name), (temporary) => copyFile(path, temporary)),
  };
}

async function findSameFile(entry: string, path: string): Promise<FoundEntry | undefined> {
  try {
    const [found, expected] = await Promise.all([lstat(entry), lstat(path)]);
    if (!found.isFile() || found.size !== expected.size) return undefined;
    const [one, other] = await Promise.all([digestOfFile(entry), digestOfFile(path)]);
    return one.digest === other.digest ? { stored: found.mtimeMs } : undefined;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw fileError(error, `reading ${entry}`);
  }
}

async function copyEntry(entry: string, path: string, most: number): Promise<FoundEntry | undefined> {
  try {
    const found = await lstat(entry);
    if (!found.isFile()) throw new IntegrityError(`${entry}: expected a regular file`);
    if (found.size > most) {
      throw new IntegrityError(`${entry}: expected at most ${most} bytes, found ${found.size}`);
    }
    await copyFile(entry, path);
    return { stored: found.mtimeMs };
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw fileError(error, `reading ${entry}`);
  }
}
