import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { revivedError } from '../errors.ts';
import { HAS_THREADS } from '../io/threads.ts';
import type { PatchJob } from './patchJob.ts';
import { doPatchJob } from './patchJob.ts';
import type { PatchAnswer } from './patchThread.ts';

/**
 * Does the job in another thread. Throws what `doPatchJob` throws, and the signal's reason if it is
 * aborted.
 */
export async function runPatchJob(job: PatchJob, signal?: AbortSignal): Promise<void> {
  signal?.throwIfAborted();
  if (!HAS_THREADS) return doPatchJob(job);
  const worker = new Worker(new URL('./patchThread.js', import.meta.url), { workerData: job });
  try {
    const end = once(worker, 'exit', { signal }).then(() => {
      throw new Error('the thread that makes a patch has ended');
    });
    const [answer] = (await Promise.race([once(worker, 'message', { signal }), end])) as [PatchAnswer];
    if ('failure' in answer) throw revivedError(answer.failure);
  } catch (error) {
    throw signal?.aborted === true ? signal.reason : error;
  } finally {
    await worker.terminate();
  }
}
