import { constants } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { OWN_FILE_ONLY } from '../io/files.ts';
import { readUserFileIfAny } from '../io/readUserFile.ts';

/** The parts of a download. A journal of another division is ignored. */
export interface Division {
  /** Bytes of the whole file. */
  size: number;
  /** Bytes of every part but the last. */
  partSize: number;
}

/** Bytes of each part that earlier runs downloaded, from its start, by part number from 0. */
export type Brought = Map<number, number>;

/**
 * Reads the journal of an unfinished download: a line with its division, then lines of `part bytes`
 * for what was written. Undefined if the journal is missing or has another division. An incomplete
 * last line, as after a kill, is ignored.
 */
export async function readJournal(path: string, division: Division): Promise<Brought | undefined> {
  const [first = '', ...lines] = (await textOf(path)).split('\n');
  if (first !== headOf(division)) return undefined;
  const brought: Brought = new Map();
  // The text after the last line end is incomplete.
  for (const line of lines.slice(0, -1)) {
    const [, part, bytes] = /^(\d+) (\d+)$/.exec(line) ?? [];
    if (part !== undefined) brought.set(Number(part), Number(bytes));
  }
  return brought;
}

async function textOf(path: string): Promise<string> {
  return (await readUserFileIfAny(path))?.toString('utf8') ?? '';
}

function headOf({ size, partSize }: Division): string {
  return `${size} bytes in parts of ${partSize}`;
}

/** Writes a new journal in place of any other. */
export async function beginJournal(path: string, division: Division, brought: Brought): Promise<void> {
  const lines = [...brought].map(([part, bytes]) => `${part} ${bytes}\n`);
  const flag = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | OWN_FILE_ONLY;
  await writeFile(path, `${headOf(division)}\n${lines.join('')}`, { flag });
}

/** Appends to the journal that the first `bytes` of a part are in the file. */
export async function noteBrought(journal: FileHandle, part: number, bytes: number): Promise<void> {
  await journal.write(`${part} ${bytes}\n`);
}

export async function deleteJournal(path: string): Promise<void> {
  await rm(path, { force: true });
}
