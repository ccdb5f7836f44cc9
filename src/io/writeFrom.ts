import type { FileHandle } from 'node:fs/promises';
import { IntegrityError } from '../errors.ts';

/**
 * Writes the chunks one after the other from `position` of the file on, each before the next is
 * requested. `written` is told the bytes of each chunk.
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
  // A full disk first writes less, and reports the error at the next write.
  if (bytesWritten < chunk.length) await writeAll(handle, chunk.subarray(bytesWritten), at + bytesWritten);
}

/** Writes a whole chunk at byte `at` of a file. */
type Write = (file: FileHandle, chunk: Buffer, at: number) => Promise<void>;

/**
 * A `writeAll` that reads each chunk back, and throws IntegrityError if the file has other bytes.
 * `what` names the file in the error. The file must be open for reading, too. As the chunk is still
 * in memory, this costs a tenth of a checksum. For one chunk at a time.
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

/**
 * Writes the chunks from byte `start` on, each while the next one is made. Returns the bytes
 * written.
 */
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
      // If the next chunk fails first, nobody waits for this write.
      writing.catch(() => undefined);
      position += chunk.length;
    }
  } finally {
    await writing;
  }
  return position - start;
}
