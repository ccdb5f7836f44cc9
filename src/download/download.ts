import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { IntegrityError } from '../errors.ts';
import { removeJournal } from './journal.ts';
import { fetchParts } from './parts.ts';
import { fileError, fileSize } from '../io/files.ts';
import { followDigest } from './followDigest.ts';
import type { ProgressTask } from '../io/progress.ts';
import type { DownloadContext, DownloadFiles, RemoteFile } from './remoteFile.ts';
import { RangeIgnoredError, resumingBytes } from './resume.ts';
import { writeFrom } from '../io/writeFrom.ts';

export interface Downloaded {
  path: string;
  /** Bytes of the file. */
  size: number;
  /** Bytes that earlier, broken runs had already brought. */
  resumedFrom: number;
}

/**
 * Downloads a file to `path`: in parts where that is asked for, the size is known and the server honours Range, else in
 * one stream. What arrives is kept beside `path`, so that the next run, also after a kill, goes on from there; the file is
 * moved to `path` once its size and digest are right. Throws NetworkError when the connection keeps breaking, and
 * IntegrityError for other bytes than expected, of which nothing is kept then.
 */
export async function download(
  file: RemoteFile,
  path: string,
  context: DownloadContext,
): Promise<Downloaded> {
  const data = `${path}.${file.key}.part`;
  const files: DownloadFiles = { data, journal: `${data}s` };
  const task = context.progress.start(`downloading ${file.what}`, file.size);
  try {
    await mkdir(dirname(path), { recursive: true });
    await dropTooLong(files, file.size);
    const fetched = await fetch(file, files, { ...context, task });
    await rename(data, path);
    await removeJournal(files.journal);
    return { path, ...fetched };
  } catch (error) {
    throw fileError(error, `writing ${path}`);
  } finally {
    task.end();
  }
}

type Fetching = DownloadContext & { task: ProgressTask };

type Fetched = Omit<Downloaded, 'path'>;

async function fetch(file: RemoteFile, files: DownloadFiles, context: Fetching): Promise<Fetched> {
  const { size, parts } = file;
  const inOneStream = (): Promise<Fetched> =>
    checked(file, files, (there) => fetchStream(file, files, { ...context, there }));
  if (parts === undefined || size === undefined) return inOneStream();
  const settings = { ...context, partSize: parts.size, workers: parts.workers };
  try {
    return await checked(file, files, (there) =>
      fetchParts({ ...file, size }, files, { ...settings, there }),
    );
  } catch (error) {
    if (!(error instanceof RangeIgnoredError)) throw error;
    context.log.debug(`${error.message}: downloading it in one stream`);
    await remove(files);
    return inOneStream();
  }
}

/** Fetches, and compares what came with what it should be: throws IntegrityError, and keeps nothing of it, if it differs. */
async function checked(
  file: RemoteFile,
  files: DownloadFiles,
  fetchAll: (there: (bytes: number) => void) => Promise<number>,
): Promise<Fetched> {
  const sum = file.digest === undefined ? undefined : followDigest(files.data, file.size);
  try {
    const resumedFrom = await fetchAll((bytes) => sum?.there(bytes));
    const size = await checkedSize(file, files);
    const found = await sum?.digest();
    if (found === file.digest) return { size, resumedFrom };
    throw await refused(files, `${file.what}: expected ${String(file.digest)}, found ${String(found)}`);
  } finally {
    await sum?.end();
  }
}

/** Appends what is missing, in one stream; the file itself says how far it got. */
async function fetchStream(
  file: RemoteFile,
  files: DownloadFiles,
  context: Fetching & { there: (bytes: number) => void },
): Promise<number> {
  const { log, signal, task, there } = context;
  // A file that came in parts may have holes.
  if ((await fileSize(files.journal)) !== undefined) await remove(files);
  const start = (await fileSize(files.data)) ?? 0;
  if (start > 0) log.info(`${file.what}: going on from byte ${start} of an earlier download`);
  task.advance(start);
  there(start);
  const handle = await open(files.data, start === 0 ? 'w' : 'r+');
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

async function checkedSize({ what, size }: RemoteFile, files: DownloadFiles): Promise<number> {
  const found = (await fileSize(files.data)) ?? 0;
  if (size === undefined || found === size) return found;
  const message = `${what}: expected ${size} bytes, found ${found}`;
  throw found < size ? new IntegrityError(message) : await refused(files, message);
}

async function refused(files: DownloadFiles, message: string): Promise<IntegrityError> {
  await remove(files);
  return new IntegrityError(message, { hint: 'nothing of it was kept: run again' });
}

/** A file longer than the content can't be a beginning of it. */
async function dropTooLong(files: DownloadFiles, size: number | undefined): Promise<void> {
  if (size !== undefined && ((await fileSize(files.data)) ?? 0) > size) await remove(files);
}

async function remove({ data, journal }: DownloadFiles): Promise<void> {
  await rm(data, { force: true });
  await removeJournal(journal);
}
