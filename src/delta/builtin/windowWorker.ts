import { parentPort, workerData } from 'node:worker_threads';
import { openEncoder, type WindowJob } from './windowJob.ts';

// A thread's life: each message is the position of a window, answered by its bytes; the encoder ends the thread.
const { encoder } = openEncoder(workerData as WindowJob);
parentPort?.on('message', (start: number) => parentPort?.postMessage(encoder.encode(start)));
