import { createReadStream } from 'node:fs';
import { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { IntegrityError, NotFoundError } from '../../errors.ts';
import type { EntryStore, FoundEntry } from '../../oci/entryStore.ts';
import { writeAtomically } from '../../io/files.ts';
import { drain, hashed } from '../../io/streams.ts';
import { digestOfFile } from '../../io/verify.ts';
import { copyEntry, withEntry } from './openEntry.ts';

/** Entries as files of a folder, which is created with the first entry. */
export function folderStore(folder: string): EntryStore {
  const pathOf = (name: string): string => join(folder, name);
  return {
    place: folder,
    async fetch(name, path, most) {
      const found = await withEntry(pathOf(name), (entry) => copyEntry(entry, path, most));
      if (found === undefined) await requireFolder(folder);
      return found;
    },
    findSame: (name, path) => findSameFile(pathOf(name), path),
    // Not `copyFile`: an entry is for others, so it does not get the mode of a private file.
    store: (name, path) =>
      writeAtomically(pathOf(name), (temporary) => writeFile(temporary, createReadStream(path))),
  };
}

/** A place that does not exist is a typing error, or was not mounted: the user should know. */
async function requireFolder(folder: string): Promise<void> {
  if ((await stat(folder).catch(() => undefined))?.isDirectory() === true) return;
  throw new NotFoundError('no such folder');
}

async function findSameFile(entry: string, path: string): Promise<FoundEntry | undefined> {
  try {
    return await withEntry(entry, async ({ found, read }) => {
      const { size } = await stat(path);
      if (found.size !== size) return undefined;
      const { chunks, digest } = hashed(read(size + 1));
      await drain(chunks);
      return digest() === (await digestOfFile(path)).digest ? { stored: found.mtimeMs } : undefined;
    });
  } catch (error) {
    if (error instanceof IntegrityError) return undefined;
    throw error;
  }
}
