import { constants } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { IntegrityError } from '../errors.ts';
import { fileSize } from '../io/files.ts';
import { eachLimited } from '../io/pool.ts';
import type { ProgressTask } from '../io/progress.ts';
import { limited } from '../io/streams.ts';
import { writeFrom } from '../io/writeFrom.ts';
import type { Brought, Division } from './journal.ts';
import { beginJournal, noteBrought, readJournal } from './journal.ts';
import type { DownloadContext, DownloadFiles, RemoteFile } from './remoteFile.ts';
import { openOwn } from './partFiles.ts';
import { resumingBytes } from './resume.ts';

/** What fetching the parts needs in addition to the file. */
export interface PartsContext extends DownloadContext {
  task: ProgressTask;
  partSize: number;
  workers: number;
  /** Told how many bytes from the start of the file are complete, without a gap. */
  there: (bytes: number) => void;
}

/**
 * Downloads the missing parts of a file, several at a time, each to its place. The journal records
 * what arrived, even after a failure. Returns the bytes that earlier runs downloaded. Throws
 * RangeIgnoredError if the server ignores Range.
 */
export async function fetchParts(
  file: RemoteFile & { size: number },
  files: DownloadFiles,
  context: PartsContext,
): Promise<number> {
  const division: Division = { size: file.size, partSize: context.partSize };
  const brought = await openJournal(files, division);
  const resumedFrom = completeBytes(division, brought);
  if (resumedFrom > 0)
    context.log.info(`${file.what}: ${resumedFrom} bytes are complete from an earlier run`);
  context.task.advance(resumedFrom);
  const beginning = beginningOf(division, brought);
  context.there(beginning());
  const note = (part: number, bytes: number): void => {
    brought.set(part, bytes);
    context.there(beginning());
  };
  const [data, journal] = [await openOwn(files.data), await openOwn(files.journal, constants.O_APPEND)];
  try {
    await fetchAll(missingParts(division, new Map(brought)), context, (one, signal) =>
      fetchPart(file, one, { data, journal }, { ...context, signal, note }),
    );
  } finally {
    await data.close();
    await journal.close();
  }
  return resumedFrom;
}

/** Fetches several parts at a time. The first failure ends the running ones. */
async function fetchAll(
  missing: Iterable<Missing>,
  { workers, signal }: PartsContext,
  fetchOne: (part: Missing, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const stop = new AbortController();
  const either = AbortSignal.any([stop.signal, ...(signal === undefined ? [] : [signal])]);
  await eachLimited(missing, workers, (one) =>
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
  // The next part's place begins there.
  const tooMany = () =>
    new IntegrityError(`${file.what}: more than the ${most} bytes that were asked for arrived`);
  let arrived = 0;
  try {
    await writeFrom(data, start, limited(bytes, most, tooMany), (more) => {
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

/** The missing rest of a part: bytes `start` to `end` of the file. */
interface Missing {
  part: number;
  /** First byte of the part in the file. */
  from: number;
  start: number;
  end: number;
}

/** Reads what earlier runs downloaded. Creates the file and its journal if they are missing. */
async function openJournal(files: DownloadFiles, division: Division): Promise<Brought> {
  return (await readKept(files, division)) ?? (await startOver(files, division));
}

/** Reads the journal. Undefined if the file is too short for what it says. */
async function readKept(files: DownloadFiles, division: Division): Promise<Brought | undefined> {
  const brought = await readJournal(files.journal, division);
  const ends = [...(brought ?? [])].map(([part, bytes]) => part * division.partSize + bytes);
  const size = (await fileSize(files.data)) ?? -1;
  return ends.every((end) => end <= size) && size >= 0 ? brought : undefined;
}

/** Creates the file and its journal. Bytes that an earlier stream downloaded count as parts. */
async function startOver(files: DownloadFiles, division: Division): Promise<Brought> {
  const hasJournal = (await fileSize(files.journal)) !== undefined;
  const whole = hasJournal ? 0 : Math.min((await fileSize(files.data)) ?? 0, division.size);
  const brought: Brought = new Map();
  for (const { part, from, end } of missingParts(division, new Map())) {
    if (from >= whole) break;
    brought.set(part, Math.min(end, whole) - from);
  }
  await beginJournal(files.journal, division, brought);
  await (await openOwn(files.data)).close();
  return brought;
}

/** The parts that are not complete, in order. One at a time, as a server can state any size. */
function* missingParts({ size, partSize }: Division, brought: Brought): Generator<Missing> {
  for (let part = 0, from = 0; from < size; from = ++part * partSize) {
    const start = from + (brought.get(part) ?? 0);
    const end = Math.min(from + partSize, size);
    if (start < end) yield { part, from, start, end };
  }
}

/** Bytes of all parts together that earlier runs downloaded. */
function completeBytes({ size, partSize }: Division, brought: Brought): number {
  const lengths = [...brought].map(([part, bytes]) =>
    Math.max(0, Math.min(bytes, partSize, size - part * partSize)),
  );
  return lengths.reduce((sum, bytes) => sum + bytes, 0);
}

/** A function that returns how many bytes from the start are complete. Parts only ever grow. */
function beginningOf({ size, partSize }: Division, brought: Brought): () => number {
  let part = 0;
  return () => {
    while (brought.get(part) === partSize) part++;
    return Math.min(part * partSize + (brought.get(part) ?? 0), size);
  };
}
