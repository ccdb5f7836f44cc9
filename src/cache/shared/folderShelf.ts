import type { Stats } from 'node:fs';
import { lstat, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { systemCodeOf } from '../../errors.ts';
import { fileError } from '../../io/files.ts';
import { mapLimited } from '../../io/pool.ts';
import { isMissing } from '../../io/readUserFile.ts';
import type { EntryShelf, ListedEntry } from '../../oci/entryStore.ts';
import { ENTRY_NAME } from '../../oci/entryStore.ts';
import { ageOf } from './age.ts';

/** Files at the same time: a network disk takes a while for each. */
const MOST_FILES = 8;
/** What a writer has not finished: the temporary name of an entry. */
const UNFINISHED = /^\.tmp-\d+-[0-9a-f]{12}-[0-9a-f]{64}$/;
/** Milliseconds. No writer takes so long. */
const ABANDONED_AFTER = 24 * 3_600_000;

/** The entries of a folder: regular files whose names are 64 hex digits. It follows no links. */
export function folderShelf(folder: string): EntryShelf {
  return {
    place: folder,
    list: () => listFolder(folder),
    sweep: () => sweepFolder(folder),
    delete: (entry) => deleteFile(entry),
  };
}

async function listFolder(folder: string): Promise<ListedEntry[] | undefined> {
  try {
    const names = (await readdir(folder)).filter((name) => ENTRY_NAME.test(name));
    const listed = await mapLimited(names, MOST_FILES, (name) => listedFile(folder, name));
    return listed.filter((entry) => entry !== undefined);
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return undefined;
    throw fileError(error, `reading ${folder}`);
  }
}

async function listedFile(folder: string, name: string): Promise<ListedEntry | undefined> {
  const id = join(folder, name);
  const file = await regularFile(id);
  return file && { name, id, size: file.size, stored: file.mtimeMs, isShared: false };
}

/** Somebody may have stored the entry again since it was listed. */
async function deleteFile({ id, stored }: ListedEntry): Promise<'deleted' | 'gone' | 'kept'> {
  try {
    const file = await regularFile(id);
    if (file === undefined) return 'gone';
    if (file.mtimeMs !== stored) return 'kept';
    await rm(id);
    return 'deleted';
  } catch (error) {
    if (isMissing(error)) return 'gone';
    throw fileError(error, `deleting ${id}`);
  }
}

/** The writer may run on another machine, so its number says nothing. */
async function sweepFolder(folder: string): Promise<void> {
  try {
    const names = (await readdir(folder)).filter((name) => UNFINISHED.test(name));
    await mapLimited(names, MOST_FILES, async (name) => {
      const path = join(folder, name);
      const file = await regularFile(path);
      const isAbandoned = file !== undefined && ageOf(file.mtimeMs, Date.now()) > ABANDONED_AFTER;
      if (isAbandoned) await rm(path, { force: true });
    });
  } catch (error) {
    throw fileError(error, `deleting unfinished files in ${folder}`);
  }
}

async function regularFile(path: string): Promise<Stats | undefined> {
  try {
    const found = await lstat(path);
    return found.isFile() ? found : undefined;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}
