import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { IntegrityError } from '../errors.ts';
import { removeJournal } from './downloadJournal.ts';
import { fetchParts } from './downloadParts.ts';
import { fileError, fileSize } from './files.ts';
import type { ProgressTask } from './progress.ts';
import type { DownloadContext, DownloadFiles, RemoteFile } from './remoteFile.ts';
import { RangeIgnoredError, resumingBytes } from './resume.ts';
import { digestOfFile } from './verify.ts';
import { writeFrom } from './writeFrom.ts';

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
    const resumedFrom = await fetch(file, files, { ...context, task });
    const size = await checked(file, files);
    await rename(data, path);
    await removeJournal(files.journal);
    return { path, size, resumedFrom };
  } catch (error) {
    throw fileError(error, `writing ${path}`);
  } finally {
    task.end();
  }
}

type Fetching = DownloadContext & { task: ProgressTask };

async function fetch(file: RemoteFile, files: DownloadFiles, context: Fetching): Promise<number> {
  const { size, parts } = file;
  if (parts === undefined || size === undefined) return fetchStream(file, files, context);
  try {
    const settings = { ...context, partSize: parts.size, workers: parts.workers };
    return await fetchParts({ ...file, size }, files, settings);
  } catch (error) {
    if (!(error instanceof RangeIgnoredError)) throw error;
    context.log.debug(`${error.message}: downloading it in one stream`);
    await remove(files);
    return fetchStream(file, files, context);
  }
}

/** Appends what is missing, in one stream; the file itself says how far it got. */
async function fetchStream(file: RemoteFile, files: DownloadFiles, context: Fetching): Promise<number> {
  const { log, signal, task } = context;
  // A file that came in parts may have holes.
  if ((await fileSize(files.journal)) !== undefined) await remove(files);
  const start = (await fileSize(files.data)) ?? 0;
  if (start > 0) log.info(`${file.what}: going on from byte ${start} of an earlier download`);
  task.advance(start);
  const handle = await open(files.data, start === 0 ? 'w' : 'r+');
  try {
    const bytes = resumingBytes(file, { start, end: file.size, part: false }, log, signal);
    await writeFrom(handle, start, bytes, (more) => task.advance(more));
  } finally {
    await handle.close();
  }
  return start;
}

/** The size of the finished file; throws IntegrityError, and keeps nothing of it, if it is not what it should be. */
async function checked(file: RemoteFile, files: DownloadFiles): Promise<number> {
  const size = (await fileSize(files.data)) ?? 0;
  const { what, size: expected = size, digest } = file;
  if (size < expected) throw new IntegrityError(`${what}: expected ${expected} bytes, found ${size}`);
  const found = digest === undefined ? undefined : (await digestOfFile(files.data)).digest;
  if (size === expected && found === digest) return size;
  await remove(files);
  throw new IntegrityError(
    size === expected
      ? `${what}: expected ${String(digest)}, found ${String(found)}`
      : `${what}: expected ${expected} bytes, found ${size}`,
    { hint: 'nothing of it was kept: run again' },
  );
}

/** A file longer than the content can't be a beginning of it. */
async function dropTooLong(files: DownloadFiles, size: number | undefined): Promise<void> {
  if (size !== undefined && ((await fileSize(files.data)) ?? 0) > size) await remove(files);
}

async function remove({ data, journal }: DownloadFiles): Promise<void> {
  await rm(data, { force: true });
  await removeJournal(journal);
}
