import { closeSync, openSync, readSync } from 'node:fs';
import type { MessagePort } from 'node:worker_threads';

/**
 * Bytes that are final in a growing file, and whether they are all. Undefined if its writer gives
 * up.
 */
export type Growth = { there: number; isWhole: boolean } | undefined;

const BLOCK = 1 << 18;

/**
 * The bytes of a file that another thread is writing, up to its end. The writer posts `Growth`
 * messages to `port`. Reads are synchronous, as the new bytes are still in memory. Throws if the
 * writer gives up.
 */
export async function* growingFile(path: string, port: MessagePort): AsyncGenerator<Buffer, void, undefined> {
  const nextGrowth = waiterFor(port);
  let file: number | undefined;
  let at = 0;
  try {
    for (let growth = await nextGrowth(); ; growth = await nextGrowth()) {
      if (growth === undefined) throw new Error(`${path} will not be finished`);
      file ??= openSync(path, 'r');
      for (; at < growth.there; at += BLOCK) yield readBlock(file, at, Math.min(BLOCK, growth.there - at));
      at = growth.there;
      if (growth.isWhole) return;
    }
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

/** A function that waits for the next message, or returns the last one that has come meanwhile. */
function waiterFor(port: MessagePort): () => Promise<Growth> {
  let last: { growth: Growth } | undefined;
  let wake: (() => void) | undefined;
  port.on('message', (growth: Growth) => {
    last = { growth };
    wake?.();
  });
  return async () => {
    if (last === undefined) await new Promise<void>((resolve) => (wake = resolve));
    const growth = last?.growth;
    last = undefined;
    return growth;
  };
}

/** Reads a block into new memory, as its reader may keep it for a while. */
function readBlock(file: number, at: number, size: number): Buffer {
  const block = Buffer.allocUnsafeSlow(size);
  const length = readSync(file, block, 0, size, at);
  if (length < size) throw new Error(`expected ${size} bytes at byte ${at}, found ${length}`);
  return block;
}
