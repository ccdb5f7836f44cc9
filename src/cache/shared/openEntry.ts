import type { Stats } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { constants, open, writeFile } from 'node:fs/promises';
import { IntegrityError, systemCodeOf } from '../../errors.ts';
import { fileError } from '../../io/files.ts';
import { isMissing } from '../../io/readUserFile.ts';
import type { Chunks } from '../../io/streams.ts';
import { limited } from '../../io/streams.ts';
import type { FoundEntry } from '../../oci/entryStore.ts';

/** Without O_NONBLOCK, opening a FIFO would wait for a writer. */
const FLAGS = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW;
/** A symbolic link, a socket, and a device without a driver. */
const ODD = new Set(['ELOOP', 'ENXIO', 'ENODEV']);

/** An entry of a shared folder, open for reading. */
export interface OpenEntry {
  /** Where it was opened. Another file may be there now. */
  path: string;
  found: Stats;
  /** Reads the entry, at most `most` bytes of it, which are at least 1. */
  read: (most: number) => Chunks;
}

/**
 * Returns what `use` makes of the regular file at `path`, or undefined if there is none. The file
 * is opened once, and its size and bytes come from there: another writer can put another file in
 * its place at any time. Throws IntegrityError for anything but a regular file, and UsageError for
 * a file that can't be read.
 */
export async function withEntry<T>(
  path: string,
  use: (entry: OpenEntry) => Promise<T>,
): Promise<T | undefined> {
  const file = await openIfAny(path);
  try {
    return file && (await use(await describe(file, path)));
  } finally {
    await file?.close();
  }
}

/**
 * Copies the bytes of an entry and nothing else of it to the new file `path`: a writer may have set
 * any mode. Throws IntegrityError for more than `most` bytes, and UsageError if the entry can't be
 * read or the file can't be written.
 */
export async function copyEntry(entry: OpenEntry, path: string, most: number): Promise<FoundEntry> {
  const { found, read } = entry;
  const tooLarge = (size: number | string) => (): IntegrityError =>
    new IntegrityError(`${entry.path}: expected at most ${most} bytes, found ${size}`);
  if (found.size > most) throw tooLarge(found.size)();
  const chunks = limited(read(most + 1), most, tooLarge('more'));
  try {
    await writeFile(path, chunks, { flag: 'wx', mode: 0o600 });
  } catch (error) {
    throw fileError(error, `writing ${path}`);
  }
  return { stored: found.mtimeMs };
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
  const found = await file.stat().catch((error: unknown) => {
    throw fileError(error, `reading ${path}`);
  });
  if (!found.isFile()) throw oddEntry(path);
  return { path, found, read: (most) => readStart(file, path, most) };
}

async function* readStart(file: FileHandle, path: string, most: number): Chunks {
  try {
    yield* file.createReadStream({ start: 0, end: most - 1, autoClose: false }) as Chunks;
  } catch (error) {
    throw fileError(error, `reading ${path}`);
  }
}

function oddEntry(path: string): IntegrityError {
  return new IntegrityError(`${path}: expected a regular file`);
}
