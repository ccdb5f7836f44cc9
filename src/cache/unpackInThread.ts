import { once } from 'node:events';
import { MessageChannel, Worker } from 'node:worker_threads';
import type { MessagePort } from 'node:worker_threads';
import { revivedError } from '../errors.ts';
import type { Growth } from '../io/growingFile.ts';
import type { UnpackJob } from './unpack.ts';
import type { UnpackAnswer, UnpackOrder } from './unpackThread.ts';

/**
 * Runs `unpackLayer` in another thread. The thread reads the file at `from` while `written` yields
 * each chunk that was just written to that file. Returns when both have ended. Throws the error of
 * either.
 */
export async function unpackInThread(
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
      // The thread removes what it has written so far.
      await answer.catch(() => undefined);
      throw error;
    } finally {
      port.close();
    }
  });
}

/** Tells the thread how far the file has grown. Stops writing if the thread has failed. */
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

/**
 * One thread serves all layers, because the unused memory of several would add up. It ends with its
 * last user.
 */
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
