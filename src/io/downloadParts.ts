import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { IntegrityError } from '../errors.ts';
import { noteBrought } from './downloadJournal.ts';
import type { Division } from './downloadJournal.ts';
import { beginningOf, broughtBefore, missingParts } from './downloadState.ts';
import type { Missing } from './downloadState.ts';
import { mapLimited } from './pool.ts';
import type { ProgressTask } from './progress.ts';
import type { DownloadContext, DownloadFiles, RemoteFile } from './remoteFile.ts';
import { resumingBytes } from './resume.ts';
import { writeFrom } from './writeFrom.ts';

/** What the parts need beside the file. */
export interface PartsContext extends DownloadContext {
  task: ProgressTask;
  partSize: number;
  workers: number;
  /** Told how many bytes at the beginning of the file are there without a gap. */
  there: (bytes: number) => void;
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
  const brought = await broughtBefore(files, division);
  const missing = missingParts(division, brought);
  const resumedFrom = file.size - missing.reduce((sum, { start, end }) => sum + end - start, 0);
  if (resumedFrom > 0) context.log.info(`${file.what}: ${resumedFrom} bytes are here from an earlier run`);
  context.task.advance(resumedFrom);
  const beginning = beginningOf(division, brought);
  context.there(beginning());
  const note = (part: number, bytes: number): void => {
    brought.set(part, bytes);
    context.there(beginning());
  };
  const [data, journal] = [await open(files.data, 'r+'), await open(files.journal, 'a')];
  try {
    await fetchAll(missing, context, (one, signal) =>
      fetchPart(file, one, { data, journal }, { ...context, signal, note }),
    );
  } finally {
    await data.close();
    await journal.close();
  }
  return resumedFrom;
}

/** Several parts at a time; the first failure ends those under way. */
async function fetchAll(
  missing: readonly Missing[],
  { workers, signal }: PartsContext,
  fetchOne: (part: Missing, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const stop = new AbortController();
  const either = AbortSignal.any([stop.signal, ...(signal === undefined ? [] : [signal])]);
  await mapLimited(missing, workers, (one) =>
    fetchOne(one, either).catch((error: unknown) => {
      stop.abort(error);
      throw error;
    }),
  );
}

type PartContext = PartsContext & { note: (part: number, bytes: number) => void };

async function fetchPart(
  file: RemoteFile,
  { part, from, start, end }: Missing,
  { data, journal }: { data: FileHandle; journal: FileHandle },
  { log, signal, task, note }: PartContext,
): Promise<void> {
  const most = end - start;
  const bytes = resumingBytes(file, { start, end, part: true, reuse: true }, log, signal);
  let arrived = 0;
  try {
    await writeFrom(data, start, limited(bytes, most, file.what), (more) => {
      arrived += more;
      task.advance(more);
      note(part, start - from + arrived);
    });
  } finally {
    if (arrived > 0) await noteBrought(journal, part, start - from + arrived);
  }
  if (arrived === most) return;
  throw new IntegrityError(`${file.what}: expected ${most} bytes in part ${part}, found ${arrived}`);
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
