import type { FileHandle } from 'node:fs/promises';

/** Bytes that one write gathers: small ones cost more than the bytes do. */
const GATHERED = 1 << 18;

/**
 * Writes the chunks one after the other to `position` in the file; `written` is told each time how many bytes more are
 * there. What arrived before an error of `chunks` is written before it is thrown.
 */
export async function writeFrom(
  handle: FileHandle,
  position: number,
  chunks: AsyncIterable<Buffer>,
  written: (bytes: number) => void,
): Promise<void> {
  let held: Buffer[] = [];
  let length = 0;
  let at = position;
  const flush = async (): Promise<void> => {
    if (length === 0) return;
    const [buffers, bytes] = [held, length];
    [held, length] = [[], 0];
    await writeAll(handle, buffers, bytes, at);
    at += bytes;
    written(bytes);
  };
  try {
    for await (const chunk of chunks) {
      held.push(chunk);
      length += chunk.length;
      if (length >= GATHERED) await flush();
    }
  } finally {
    await flush();
  }
}

async function writeAll(handle: FileHandle, buffers: Buffer[], bytes: number, at: number): Promise<void> {
  const { bytesWritten } = await handle.writev(buffers, at);
  if (bytesWritten === bytes) return;
  // A disk that is filling up takes less at first, and says why the next time.
  const rest = Buffer.concat(buffers).subarray(bytesWritten);
  await writeAll(handle, [rest], rest.length, at + bytesWritten);
}
