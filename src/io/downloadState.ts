import { open } from 'node:fs/promises';
import { beginJournal, readJournal } from './downloadJournal.ts';
import type { Brought, Division } from './downloadJournal.ts';
import { fileSize } from './files.ts';
import type { DownloadFiles } from './remoteFile.ts';

/** One part that is still to come, from its byte `start` on. */
export interface Missing {
  part: number;
  /** First byte of the part in the file. */
  from: number;
  start: number;
  end: number;
}

/** What earlier runs have brought; the file and its journal exist then. */
export async function broughtBefore(files: DownloadFiles, division: Division): Promise<Brought> {
  return (await kept(files, division)) ?? (await startOver(files, division));
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

/** The parts of which something is to come still, in order. */
export function missingParts({ size, partSize }: Division, brought: Brought): Missing[] {
  const count = Math.ceil(size / partSize);
  const parts = Array.from({ length: count }, (_, part) => {
    const from = part * partSize;
    return { part, from, start: from + (brought.get(part) ?? 0), end: Math.min(from + partSize, size) };
  });
  return parts.filter(({ start, end }) => start < end);
}

/** A function that says how far the file is whole from its first byte on; parts are only ever added to. */
export function beginningOf({ size, partSize }: Division, brought: Brought): () => number {
  let part = 0;
  return () => {
    while (brought.get(part) === partSize) part++;
    return Math.min(part * partSize + (brought.get(part) ?? 0), size);
  };
}
