import { parentPort, workerData } from 'node:worker_threads';
import { portableError } from '../errors.ts';
import type { PatchJob } from './patchJob.ts';
import { doPatchJob } from './patchJob.ts';

/** What a thread answers: nothing if the job is done, or a portable error. */
export interface PatchAnswer {
  failure?: unknown;
}

const told = doPatchJob(workerData as PatchJob).then(
  (): PatchAnswer => ({}),
  (error: unknown): PatchAnswer => ({ failure: portableError(error) }),
);
void told.then((answer) => parentPort?.postMessage(answer));
