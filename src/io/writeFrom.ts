import type { FileHandle } from 'node:fs/promises';

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

/** Writes the chunks from byte `start` on, each while the next one is made; returns how many bytes they were. */
export async function writeBehind(
  file: FileHandle,
  start: number,
  chunks: AsyncIterable<Buffer>,
): Promise<number> {
  let position = start;
  let writing = Promise.resolve();
  try {
    for await (const chunk of chunks) {
      await writing;
      writing = writeAll(file, chunk, position);
      // Where the next chunk fails first, nobody waits for this one.
      writing.catch(() => undefined);
      position += chunk.length;
    }
  } finally {
    await writing;
  }
  return position - start;
}
