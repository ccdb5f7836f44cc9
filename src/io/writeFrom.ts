import type { FileHandle } from 'node:fs/promises';
import { IntegrityError } from '../errors.ts';

/**
 * Writes the chunks one after the other to `position` in the file, each before the next is asked for; `written` is told
 * each time how many bytes more are there.
 */
export async function writeFrom(
  handle: FileHandle,
  position: number,
  chunks: AsyncIterable<Buffer>,
  written: (bytes: number) => void,
): Promise<void> {
  let at = position;
  for await (const chunk of chunks) {
    await writeAll(handle, chunk, at);
    at += chunk.length;
    written(chunk.length);
  }
}

/** Writes the whole chunk at byte `at` of the file. Throws the disk's own error. */
export async function writeAll(handle: FileHandle, chunk: Buffer, at: number): Promise<void> {
  const { bytesWritten } = await handle.write(chunk, 0, chunk.length, at);
  // A disk that is filling up takes less at first, and says why the next time.
  if (bytesWritten < chunk.length) await writeAll(handle, chunk.subarray(bytesWritten), at + bytesWritten);
}

/** Writes a whole chunk at a byte of a file. */
type Write = (file: FileHandle, chunk: Buffer, at: number) => Promise<void>;

/**
 * A `writeAll` for one file, opened for reading too, that reads each chunk back and throws IntegrityError, in which `what`
 * names the file, if the file holds other bytes than it was given. The chunk is at hand then: that costs a tenth of a
 * checksum. One chunk at a time.
 */
export function comparedWrites(what: string): Write {
  let found = Buffer.alloc(0);
  return async (file, chunk, at) => {
    await writeAll(file, chunk, at);
    if (found.length < chunk.length) found = Buffer.allocUnsafeSlow(chunk.length);
    const { bytesRead } = await file.read(found, 0, chunk.length, at);
    if (chunk.equals(found.subarray(0, bytesRead))) return;
    throw new IntegrityError(`${what}: it does not hold what was written at byte ${at}`, {
      hint: 'check the disk, and build again',
    });
  };
}

/** Writes the chunks from byte `start` on, each while the next one is made; returns how many bytes they were. */
export async function writeBehind(
  file: FileHandle,
  start: number,
  chunks: AsyncIterable<Buffer>,
  write: Write = writeAll,
): Promise<number> {
  let position = start;
  let writing = Promise.resolve();
  try {
    for await (const chunk of chunks) {
      await writing;
      writing = write(file, chunk, position);
      // Where the next chunk fails first, nobody waits for this one.
      writing.catch(() => undefined);
      position += chunk.length;
    }
  } finally {
    await writing;
  }
  return position - start;
}
