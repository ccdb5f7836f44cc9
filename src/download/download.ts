import { constants } from 'node:fs';
import { rename, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { IntegrityError, UsageError } from '../errors.ts';
import { deleteJournal } from './journal.ts';
import { deleteFiles, deleteForeign, openOwn } from './partFiles.ts';
import { fetchParts } from './parts.ts';
import { diskOf, ensureFolder, fileError, fileSize } from '../io/files.ts';
import { followDigest } from './followDigest.ts';
import type { ProgressTask } from '../io/progress.ts';
import type { DownloadContext, DownloadFiles, RemoteFile } from './remoteFile.ts';
import { RangeIgnoredError, resumingBytes } from './resume.ts';
import { writeFrom } from '../io/writeFrom.ts';

export interface Downloaded {
  path: string;
  /** Bytes of the file. */
  size: number;
  /** Bytes that earlier, interrupted runs downloaded. */
  resumedFrom: number;
}

/**
 * Downloads a file to `path`: in parts if they are wanted, the size is known and the server
 * supports Range, otherwise in one stream. The bytes are stored next to `path`, so that the next
 * run resumes there, even after a kill. The file moves to `path` once its size and digest are
 * right and `check` accepts it. Throws UsageError if the disk is too small, NetworkError if the
 * connection keeps breaking, and IntegrityError for wrong bytes, which are deleted. Throws what
 * `check` throws, and deletes the bytes then as well.
 */
export async function download(
  file: RemoteFile,
  path: string,
  context: DownloadContext,
  check?: (data: string) => Promise<unknown>,
): Promise<Downloaded> {
  const data = `${path}.${file.key}.part`;
  const files: DownloadFiles = { data, journal: `${data}s` };
  const task = context.progress.start(`downloading ${file.what}`, file.size);
  try {
    await ensureFolder(dirname(path));
    await deleteForeign(files);
    await dropTooLong(files, file.size);
    await requireRoom(file, data);
    const fetched = await fetch(file, files, { ...context, task });
    if (check !== undefined) await checkOrDelete(check, files);
    await rename(data, path);
    await deleteJournal(files.journal);
    return { path, ...fetched };
  } catch (error) {
    throw fileError(error, `writing ${path}`);
  } finally {
    task.end();
  }
}

async function checkOrDelete(check: (data: string) => Promise<unknown>, files: DownloadFiles): Promise<void> {
  try {
    await check(files.data);
  } catch (error) {
    await deleteFiles(files);
    throw error;
  }
}

type Fetching = DownloadContext & { task: ProgressTask };

type Fetched = Omit<Downloaded, 'path'>;

async function fetch(file: RemoteFile, files: DownloadFiles, context: Fetching): Promise<Fetched> {
  const { size, parts } = file;
  const inOneStream = (): Promise<Fetched> =>
    fetchChecked(file, files, (there) => fetchStream(file, files, { ...context, there }));
  if (parts === undefined || size === undefined) return inOneStream();
  const settings = { ...context, partSize: parts.size, workers: parts.workers };
  try {
    return await fetchChecked(file, files, (there) =>
      fetchParts({ ...file, size }, files, { ...settings, there }),
    );
  } catch (error) {
    if (!(error instanceof RangeIgnoredError)) throw error;
    context.log.debug(`${error.message}: downloading it in one stream`);
    await deleteFiles(files);
    return inOneStream();
  }
}

/**
 * Fetches and checks the size and digest. Throws IntegrityError if they differ, and deletes the
 * bytes.
 */
async function fetchChecked(
  file: RemoteFile,
  files: DownloadFiles,
  fetchAll: (there: (bytes: number) => void) => Promise<number>,
): Promise<Fetched> {
  const sum = file.digest === undefined ? undefined : followDigest(files.data, file.size);
  try {
    const resumedFrom = await fetchAll((bytes) => sum?.there(bytes));
    const size = await checkSize(file, files);
    const found = await sum?.digest();
    if (found === file.digest) return { size, resumedFrom };
    throw await refuse(files, `${file.what}: expected ${String(file.digest)}, found ${String(found)}`);
  } finally {
    await sum?.end();
  }
}

/** Appends the missing bytes in one stream. The size of the file tells where to resume. */
async function fetchStream(
  file: RemoteFile,
  files: DownloadFiles,
  context: Fetching & { there: (bytes: number) => void },
): Promise<number> {
  const { log, signal, task, there } = context;
  // A file that was downloaded in parts may have holes.
  if ((await fileSize(files.journal)) !== undefined) await deleteFiles(files);
  const start = (await fileSize(files.data)) ?? 0;
  if (start > 0) log.info(`${file.what}: resuming at byte ${start} of an earlier download`);
  task.advance(start);
  there(start);
  const handle = await openOwn(files.data, start === 0 ? constants.O_TRUNC : 0);
  try {
    const bytes = resumingBytes(file, { start, end: file.size, part: false, reuse: true }, log, signal);
    let end = start;
    await writeFrom(handle, start, bytes, (more) => {
      task.advance(more);
      there((end += more));
    });
  } finally {
    await handle.close();
  }
  return start;
}

async function checkSize({ what, size }: RemoteFile, files: DownloadFiles): Promise<number> {
  const found = (await fileSize(files.data)) ?? 0;
  if (size === undefined || found === size) return found;
  const message = `${what}: expected ${size} bytes, found ${found}`;
  throw found < size ? new IntegrityError(message) : await refuse(files, message);
}

async function refuse(files: DownloadFiles, message: string): Promise<IntegrityError> {
  await deleteFiles(files);
  return new IntegrityError(message, { hint: 'its bytes were deleted: run again' });
}

/** Deletes a file that is too long to be the start of the content. */
async function dropTooLong(files: DownloadFiles, size: number | undefined): Promise<void> {
  if (size !== undefined && ((await fileSize(files.data)) ?? 0) > size) await deleteFiles(files);
}

/** Throws UsageError if the disk has no room for the bytes that are missing. */
async function requireRoom({ what, size }: RemoteFile, data: string): Promise<void> {
  if (size === undefined) return;
  const missing = size - (await bytesOnDisk(data));
  const { total, free } = await diskOf(dirname(data));
  // Some network disks do not tell their size.
  if (total === 0 || missing <= free) return;
  throw new UsageError(
    `downloading ${what} to ${dirname(data)}: expected ${missing} bytes of free disk, found ${free}`,
    { hint: 'free some space, or choose another folder' },
  );
}

/** Bytes that the file uses on its disk: the parts that are missing use none. */
async function bytesOnDisk(path: string): Promise<number> {
  if ((await fileSize(path)) === undefined) return 0;
  return (await stat(path)).blocks * 512;
}
