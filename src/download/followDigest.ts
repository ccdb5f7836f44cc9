import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { Digest } from '../oci/digest.ts';
import { HAS_THREADS } from '../io/threads.ts';
import { digestOfFile } from '../io/verify.ts';

/** The digest of a file that is still being written. */
export interface FollowedDigest {
  /** Says that the first `bytes` of the file are there, for good. */
  there(bytes: number): void;
  /** The digest of the whole file, once all of it is there. */
  digest(): Promise<Digest>;
  /** Follows no further. */
  end(): Promise<void>;
}

/** A thread takes a while to start: smaller files are read at the end. */
const WORTH_A_THREAD = 16 << 20;
/** Bytes that the thread is told of at once. */
const STEP = 4 << 20;

/** Reads a file of `size` bytes in a thread of its own while it is being written; a small one when it is whole. */
export function followDigest(path: string, size: number | undefined): FollowedDigest {
  return HAS_THREADS && size !== undefined && size >= WORTH_A_THREAD
    ? inThread(path, size)
    : afterwards(path);
}

function afterwards(path: string): FollowedDigest {
  return {
    there: () => undefined,
    digest: async () => (await digestOfFile(path)).digest,
    end: () => Promise.resolve(),
  };
}

function inThread(path: string, size: number): FollowedDigest {
  const thread = new Worker(new URL('./digestThread.js', import.meta.url), { workerData: { path, size } });
  const answer = once(thread, 'message') as Promise<[Digest]>;
  // It is thrown where it is waited for.
  answer.catch(() => undefined);
  let told = 0;
  return {
    there: (bytes) => {
      if (bytes - told < STEP && bytes !== size) return;
      told = bytes;
      thread.postMessage(bytes);
    },
    digest: async () => (await answer)[0],
    end: async () => {
      await thread.terminate();
    },
  };
}
