import { readFile, rm, writeFile } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { systemCodeOf } from '../errors.ts';

/** How a download is divided; a journal of another division says nothing. */
export interface Division {
  /** Bytes of the whole file. */
  size: number;
  /** Bytes of every part but the last. */
  partSize: number;
}

/** What earlier runs have brought of each part: bytes from its beginning, by its number from 0. */
export type Brought = Map<number, number>;

/**
 * The journal beside an unfinished download: a line that says how it is divided, then `part bytes` for what was written.
 * Undefined if there is none or it belongs to another division. A line that a kill cut short says nothing.
 */
export async function readJournal(path: string, division: Division): Promise<Brought | undefined> {
  const [first = '', ...lines] = (await textOf(path)).split('\n');
  if (first !== headOf(division)) return undefined;
  const brought: Brought = new Map();
  // What follows the last line end is no line.
  for (const line of lines.slice(0, -1)) {
    const [, part, bytes] = /^(\d+) (\d+)$/.exec(line) ?? [];
    if (part !== undefined) brought.set(Number(part), Number(bytes));
  }
  return brought;
}

async function textOf(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return '';
    throw error;
  }
}

function headOf({ size, partSize }: Division): string {
  return `${size} bytes in parts of ${partSize}`;
}

/** Begins a journal, in place of any other. */
export async function beginJournal(path: string, division: Division, brought: Brought): Promise<void> {
  const lines = [...brought].map(([part, bytes]) => `${part} ${bytes}\n`);
  await writeFile(path, `${headOf(division)}\n${lines.join('')}`);
}

/** Notes, in a journal that is open for appending, that the first `bytes` of a part are in the file. */
export async function noteBrought(journal: FileHandle, part: number, bytes: number): Promise<void> {
  await journal.write(`${part} ${bytes}\n`);
}

export async function removeJournal(path: string): Promise<void> {
  await rm(path, { force: true });
}
