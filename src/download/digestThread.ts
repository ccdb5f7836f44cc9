import { createHash } from 'node:crypto';
import { openSync, readSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';

// Each message says how many bytes of the file exist. Once all do, the thread posts the digest.
const { path, size } = workerData as { path: string; size: number };
let file: number | undefined;
const block = Buffer.allocUnsafeSlow(1 << 19);
const sum = createHash('sha256');
let at = 0;

parentPort?.on('message', (there: number) => {
  file ??= openSync(path, 'r');
  while (at < there) {
    const length = readSync(file, block, 0, Math.min(block.length, there - at), at);
    if (length === 0) throw new Error(`${path} ends at byte ${at}`);
    sum.update(block.subarray(0, length));
    at += length;
  }
  if (at === size) parentPort?.postMessage(`sha256:${sum.digest('hex')}`);
});
