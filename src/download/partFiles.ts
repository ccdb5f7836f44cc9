import { constants } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { open, rm } from 'node:fs/promises';
import { OWN_FILE_ONLY, statOwnFile } from '../io/files.ts';
import { deleteJournal } from './journal.ts';
import type { DownloadFiles } from './remoteFile.ts';

/**
 * Deletes what an earlier run can't have left at the paths of an unfinished download. Others can
 * guess them: a link would lead writes to another file, and a FIFO would block them.
 */
export async function deleteForeign({ data, journal }: DownloadFiles): Promise<void> {
  for (const path of [data, journal]) {
    const found = await statOwnFile(path);
    if (found?.nlink !== 1) await rm(path, { recursive: true, force: true });
  }
}

/** Opens a file of an unfinished download for writing, and creates it if it is missing. */
export function openOwn(path: string, more = 0): Promise<FileHandle> {
  return open(path, constants.O_WRONLY | constants.O_CREAT | OWN_FILE_ONLY | more);
}

/** Deletes the files of an unfinished download. */
export async function deleteFiles({ data, journal }: DownloadFiles): Promise<void> {
  await rm(data, { force: true });
  await deleteJournal(journal);
}
