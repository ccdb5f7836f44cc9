import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { IntegrityError } from '../errors.ts';
import { beginJournal, noteBrought, readJournal } from './downloadJournal.ts';
import type { Brought, Division } from './downloadJournal.ts';
import { fileSize } from './files.ts';
import { mapLimited } from './pool.ts';
import type { ProgressTask } from './progress.ts';
import type { DownloadContext, DownloadFiles, RemoteFile } from './remoteFile.ts';
import { resumingBytes } from './resume.ts';
import { writeFrom } from './writeFrom.ts';

/** One part that is still to come, from its byte `start` on. */
interface Missing {
  part: number;
  /** First byte of the part in the file. */
  from: number;
  start: number;
  end: number;
}

/** What the parts need beside the file. */
export interface PartsContext extends DownloadContext {
  task: ProgressTask;
  partSize: number;
  workers: number;
}

/**
 * Brings the parts of a file that are not there yet, several at a time, each to its place. What came is noted in the
 * journal, also when it fails. Returns the bytes that earlier runs had brought. Throws RangeIgnoredError where the server
 * sends no parts.
 */
export async function fetchParts(
  file: RemoteFile & { size: number },
  files: DownloadFiles,
  context: PartsContext,
): Promise<number> {
  const division: Division = { size: file.size, partSize: context.partSize };
  const brought = (await kept(files, division)) ?? (await startOver(files, division));
  const missing = missingParts(division, brought);
  const resumedFrom = file.size - missing.reduce((sum, { start, end }) => sum + end - start, 0);
  if (resumedFrom > 0) context.log.info(`${file.what}: ${resumedFrom} bytes are here from an earlier run`);
  context.task.advance(resumedFrom);
  const handle = await open(files.data, 'r+');
  const stop = new AbortController();
  const signal = AbortSignal.any([stop.signal, ...(context.signal === undefined ? [] : [context.signal])]);
  try {
    await mapLimited(missing, context.workers, async (one) => {
      await fetchPart(file, one, handle, files.journal, { ...context, signal }).catch((error: unknown) => {
        stop.abort(error);
        throw error;
      });
    });
  } finally {
    await handle.close();
  }
  return resumedFrom;
}

/** What the journal says, if the file can hold all of it. */
async function kept(files: DownloadFiles, division: Division): Promise<Brought | undefined> {
  const brought = await readJournal(files.journal, division);
  const ends = [...(brought ?? [])].map(([part, bytes]) => part * division.partSize + bytes);
  const size = (await fileSize(files.data)) ?? -1;
  return ends.every((end) => end <= size) && size >= 0 ? brought : undefined;
}

/** Makes the file and its journal; what one stream had brought before counts as parts. */
async function startOver(files: DownloadFiles, division: Division): Promise<Brought> {
  const hasJournal = (await fileSize(files.journal)) !== undefined;
  const whole = hasJournal ? 0 : Math.min((await fileSize(files.data)) ?? 0, division.size);
  const brought: Brought = new Map();
  for (const { part, from, end } of missingParts(division, new Map())) {
    if (from < whole) brought.set(part, Math.min(end, whole) - from);
  }
  await beginJournal(files.journal, division, brought);
  await (await open(files.data, 'a')).close();
  return brought;
}

function missingParts({ size, partSize }: Division, brought: Brought): Missing[] {
  const count = Math.ceil(size / partSize);
  const parts = Array.from({ length: count }, (_, part) => {
    const from = part * partSize;
    return { part, from, start: from + (brought.get(part) ?? 0), end: Math.min(from + partSize, size) };
  });
  return parts.filter(({ start, end }) => start < end);
}

async function fetchPart(
  file: RemoteFile,
  { part, from, start, end }: Missing,
  handle: FileHandle,
  journal: string,
  { log, signal, task }: PartsContext,
): Promise<void> {
  let offset = start;
  const bytes = limited(resumingBytes(file, { start, end, part: true }, log, signal), end - start, file.what);
  try {
    await writeFrom(handle, start, bytes, (more) => {
      offset += more;
      task.advance(more);
    });
  } finally {
    if (offset > start) await noteBrought(journal, part, offset - from);
  }
  if (offset === end) return;
  throw new IntegrityError(
    `${file.what}: expected ${end - start} bytes in part ${part}, found ${offset - start}`,
  );
}

/** Throws IntegrityError as soon as there are more than `most` bytes: the next part's place begins there. */
async function* limited(chunks: AsyncIterable<Buffer>, most: number, what: string): AsyncGenerator<Buffer> {
  let left = most;
  for await (const chunk of chunks) {
    left -= chunk.length;
    if (left < 0)
      throw new IntegrityError(`${what}: more than the ${most} bytes that were asked for arrived`);
    yield chunk;
  }
}
