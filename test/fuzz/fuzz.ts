import { Worker } from 'node:worker_threads';
import type { Job, Outcome } from './worker.ts';
import { TARGETS } from './targets.ts';

/** The figures of one reader. */
export interface Figures {
  name: string;
  tried: number;
  survived: number;
  /** Inputs that the reader refused with an error for the user; the rest it took. */
  refused: number;
  lost: { why: string; input: Uint8Array }[];
}

/** An input that takes longer (milliseconds) counts as a hang. */
const LONGEST = 10_000;
const MEMORY_MB = 1024;
const LARGEST_INPUT = 4 << 20;

/**
 * Feeds each reader with changed inputs, for `seconds` in all, and returns what came of them. The
 * readers run in a thread. It is ended if one hangs or needs more than 1 GiB of memory, and another
 * thread does the rest.
 */
export async function fuzzAll(
  seconds: number,
  seed: number,
  onDone: (figures: Figures) => void,
): Promise<Figures[]> {
  const all: Figures[] = [];
  const milliseconds = (seconds * 1000) / TARGETS.length;
  while (all.length < TARGETS.length) {
    const targets = TARGETS.map((_, number) => number).slice(all.length);
    await fuzzInThread({ ...sharedMemory(), targets, seed, milliseconds }, ({ tried, refused, lost }) => {
      const name = TARGETS[all.length]?.name ?? '';
      const figures = { name, tried, refused, survived: tried - lost.length, lost };
      all.push(figures);
      onDone(figures);
    });
  }
  return all;
}

function sharedMemory(): Pick<Job, 'state' | 'input'> {
  return {
    state: new Float64Array(new SharedArrayBuffer(16)),
    input: new Uint8Array(new SharedArrayBuffer(LARGEST_INPUT)),
  };
}

/** Reports each outcome of a thread; the last one is a lost input if the thread hangs or fails. */
async function fuzzInThread(job: Job, report: (outcome: Outcome) => void): Promise<void> {
  const { state, input, targets } = job;
  const worker = new Worker(new URL('./worker.ts', import.meta.url), {
    workerData: job,
    resourceLimits: { maxOldGenerationSizeMb: MEMORY_MB },
  });
  let left = targets.length;
  const lose = (why: string): void => {
    report({ tried: 1, refused: 0, kept: 0, lost: [{ why, input: input.slice(0, state[1]) }] });
  };
  await new Promise<void>((resolve) => {
    const watch = setInterval(() => {
      const begun = state[0] ?? 0;
      if (begun > 0 && Date.now() - begun > LONGEST) end(`no end after ${LONGEST} ms`);
    }, 500);
    const end = (fault?: string): void => {
      clearInterval(watch);
      if (fault !== undefined) lose(fault);
      resolve();
    };
    worker.once('error', (error) => end(`the thread failed: ${String(error)}`));
    worker.on('message', (outcome: Outcome) => {
      report(outcome);
      left -= 1;
      if (left === 0) end();
    });
  });
  await worker.terminate();
}
