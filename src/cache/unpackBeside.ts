import { once } from 'node:events';
import { MessageChannel, Worker } from 'node:worker_threads';
import type { MessagePort } from 'node:worker_threads';
import { revivedError } from '../errors.ts';
import type { Growth } from '../io/grownFile.ts';
import type { UnpackJob } from './unpack.ts';
import type { UnpackAnswer, UnpackOrder } from './unpackThread.ts';

/**
 * `unpackLayer` in another thread, out of the file at `from`, while `written` yields what has just been written to that
 * file. Both have ended when this has. Throws the error of either, and what `unpackLayer` throws.
 */
export async function unpackBeside(
  from: string,
  written: AsyncIterable<Buffer>,
  job: UnpackJob,
): Promise<number> {
  return withThread(async (worker) => {
    const { port1: port, port2 } = new MessageChannel();
    const answer = answerOf(port, worker);
    worker.postMessage({ from, job, port: port2 } satisfies UnpackOrder, [port2]);
    try {
      await tellGrowth(written, port, answer);
      return await answer;
    } catch (error) {
      port.postMessage(undefined satisfies Growth);
      // What it has written so far is gone then.
      await answer.catch(() => undefined);
      throw error;
    } finally {
      port.close();
    }
  });
}

/** The thread's end of the work; where it fails first, the rest need not be written. */
async function tellGrowth(
  written: AsyncIterable<Buffer>,
  port: MessagePort,
  answer: Promise<unknown>,
): Promise<void> {
  const state = { failed: false };
  answer.catch(() => (state.failed = true));
  let there = 0;
  for await (const { length } of written) {
    if (state.failed) return;
    there += length;
    port.postMessage({ there, isWhole: false } satisfies Growth);
  }
  port.postMessage({ there, isWhole: true } satisfies Growth);
}

async function answerOf(port: MessagePort, worker: Worker): Promise<number> {
  const end = once(worker, 'exit').then(() => {
    throw new Error('the thread that unpacks layers has ended');
  });
  const [answer] = (await Promise.race([once(port, 'message'), end])) as [UnpackAnswer];
  if ('failure' in answer) throw revivedError(answer.failure);
  return answer.size;
}

let shared: { worker: Worker; users: number } | undefined;

/** One thread for all layers: what several hold in memory, before they clean up, would add up. It ends with its last user. */
async function withThread<T>(use: (worker: Worker) => Promise<T>): Promise<T> {
  shared ??= { worker: new Worker(new URL('./unpackThread.js', import.meta.url)), users: 0 };
  const own = shared;
  own.users++;
  try {
    return await use(own.worker);
  } finally {
    own.users--;
    if (own.users === 0) {
      shared = undefined;
      await own.worker.terminate();
    }
  }
}
