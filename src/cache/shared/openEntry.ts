import type { Stats } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { constants, open } from 'node:fs/promises';
import { IntegrityError, systemCodeOf } from '../../errors.ts';
import { fileError } from '../../io/files.ts';
import { isMissing } from '../../io/readUserFile.ts';
import type { Chunks } from '../../io/streams.ts';

/** Without O_NONBLOCK, opening a FIFO would wait for a writer. */
const FLAGS = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW;
/** A symbolic link, a socket, and a device without a driver. */
const ODD = new Set(['ELOOP', 'ENXIO', 'ENODEV']);

/** An entry of a shared folder, open for reading. */
export interface OpenEntry {
  found: Stats;
  /** Reads the entry, at most `most` bytes of it, which are at least 1. */
  read: (most: number) => Chunks;
}

/**
 * Returns what `use` makes of the regular file at `path`, or undefined if there is none. All that is
 * said and read is of the one file that was opened, as whoever may write to the folder can put
 * another in its place at any time. Throws IntegrityError for anything but a regular file, and
 * UsageError for a file that can't be read.
 */
export async function withEntry<T>(
  path: string,
  use: (entry: OpenEntry) => Promise<T>,
): Promise<T | undefined> {
  const file = await openIfAny(path);
  try {
    return file && (await use(await describe(file, path)));
  } catch (error) {
    throw fileError(error, `reading ${path}`);
  } finally {
    await file?.close();
  }
}

async function openIfAny(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, FLAGS);
  } catch (error) {
    if (isMissing(error)) return undefined;
    if (ODD.has(systemCodeOf(error) ?? '')) throw oddEntry(path);
    throw fileError(error, `reading ${path}`);
  }
}

async function describe(file: FileHandle, path: string): Promise<OpenEntry> {
  const found = await file.stat();
  if (!found.isFile()) throw oddEntry(path);
  const read = (most: number): Chunks =>
    file.createReadStream({ start: 0, end: most - 1, autoClose: false }) as Chunks;
  return { found, read };
}

function oddEntry(path: string): IntegrityError {
  return new IntegrityError(`${path}: expected a regular file`);
}
