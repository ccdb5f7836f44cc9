import { parentPort, workerData } from 'node:worker_threads';
import { openEncoder, type WindowJob } from './windowJob.ts';

// Each message is the position of a window; the answer is its bytes. The encoder ends the thread.
const { encoder } = openEncoder(workerData as WindowJob);
parentPort?.on('message', (start: number) => parentPort?.postMessage(encoder.encode(start)));
