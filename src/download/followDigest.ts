import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { Digest } from '../oci/digest.ts';
import { HAS_THREADS } from '../io/threads.ts';
import { digestOfFile } from '../io/verify.ts';

/** The digest of a file that is still being written. */
export interface FollowedDigest {
  /** Tells that the first `bytes` of the file are written and final. */
  there(bytes: number): void;
  /** Waits for the digest of the whole file, once it is complete. */
  digest(): Promise<Digest>;
  /** Stops following. */
  end(): Promise<void>;
}

/**
 * Bytes from which a thread is used. It takes a while to start, so smaller files are read at the
 * end.
 */
const WORTH_A_THREAD = 16 << 20;
/** Bytes per message to the thread. */
const STEP = 4 << 20;

/**
 * Hashes a file of `size` bytes in a thread while it is written, and a small file once it is
 * complete.
 */
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
  // An error surfaces where the answer is awaited.
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
