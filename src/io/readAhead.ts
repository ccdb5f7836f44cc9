import type { FileHandle } from 'node:fs/promises';
import { open } from 'node:fs/promises';

const BLOCK = 1 << 20;

/** The bytes of a file in blocks of 1 MiB; the next one is read while the last is looked at. Throws the disk's own error. */
export async function* readAhead(path: string): AsyncGenerator<Buffer, void, undefined> {
  const file = await open(path);
  let next = readBlock(file, 0);
  try {
    let block = await next;
    for (let at = block.length; block.length > 0; at += block.length) {
      next = readBlock(file, at);
      // Whoever asks for the next block meets its error; nobody waits for it before.
      next.catch(() => undefined);
      yield block;
      block = await next;
    }
  } finally {
    await next.catch(() => undefined);
    await file.close();
  }
}

async function readBlock(file: FileHandle, at: number): Promise<Buffer> {
  const block = Buffer.allocUnsafeSlow(BLOCK);
  const { bytesRead } = await file.read(block, 0, BLOCK, at);
  return block.subarray(0, bytesRead);
}
