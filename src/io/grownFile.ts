import { closeSync, openSync, readSync } from 'node:fs';
import type { MessagePort } from 'node:worker_threads';

/** Who writes the file says so many bytes of it are there for good, and whether they are all; undefined: it gives up. */
export type Growth = { there: number; isWhole: boolean } | undefined;

const BLOCK = 1 << 18;

/**
 * The bytes of a file that another thread writes meanwhile and tells of at `port` (`Growth`), up to its end. The calls are
 * synchronous: what was just written is still in memory. Throws when the writer gives up.
 */
export async function* grownFile(path: string, port: MessagePort): AsyncGenerator<Buffer, void, undefined> {
  const news = newsOf(port);
  let file: number | undefined;
  let at = 0;
  try {
    for (let growth = await news(); ; growth = await news()) {
      if (growth === undefined) throw new Error(`${path} will not be finished`);
      file ??= openSync(path, 'r');
      for (; at < growth.there; at += BLOCK) yield blockOf(file, at, Math.min(BLOCK, growth.there - at));
      at = growth.there;
      if (growth.isWhole) return;
    }
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

/** A function that waits for what was not told yet; what came meanwhile is told at once, by its last message. */
function newsOf(port: MessagePort): () => Promise<Growth> {
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

/** New memory for each block: its reader may keep it for a while. */
function blockOf(file: number, at: number, size: number): Buffer {
  const block = Buffer.allocUnsafeSlow(size);
  const length = readSync(file, block, 0, size, at);
  if (length < size) throw new Error(`expected ${size} bytes at byte ${at}, found ${length}`);
  return block;
}
