import { createReadStream } from 'node:fs';
import { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { IntegrityError, NotFoundError } from '../../errors.ts';
import type { EntryStore, FoundEntry } from '../../oci/entryStore.ts';
import { writeAtomically } from '../../io/files.ts';
import { drain, hashed, limited } from '../../io/streams.ts';
import { digestOfFile } from '../../io/verify.ts';
import { withEntry } from './openEntry.ts';

/** Entries as files of a folder, which is created with the first entry. */
export function folderStore(folder: string): EntryStore {
  const pathOf = (name: string): string => join(folder, name);
  return {
    place: folder,
    async fetch(name, path, most) {
      const found = await copyEntry(pathOf(name), path, most);
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

/** Copies the bytes of an entry and nothing else of it: a writer may have set any mode. */
function copyEntry(entry: string, path: string, most: number): Promise<FoundEntry | undefined> {
  return withEntry(entry, async ({ found, read }) => {
    const tooLarge = (size: number | string) => (): IntegrityError =>
      new IntegrityError(`${entry}: expected at most ${most} bytes, found ${size}`);
    if (found.size > most) throw tooLarge(found.size)();
    const chunks = limited(read(most + 1), most, tooLarge('more'));
    await writeFile(path, chunks, { flag: 'wx', mode: 0o600 });
    return { stored: found.mtimeMs };
  });
}
