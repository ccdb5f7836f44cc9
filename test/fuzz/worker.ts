import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { UserError } from '../../src/errors.ts';
import { randomNumbers } from '../faults/tally.ts';
import type { Coverage } from './coverage.ts';
import { measureCoverage } from './coverage.ts';
import { mutated } from './mutate.ts';
import type { Target } from './targets.ts';
import { TARGETS } from './targets.ts';

/** What a thread is to do. */
export interface Job {
  /** Numbers of targets, which are done one after another. */
  targets: number[];
  seed: number;
  /** For each target. */
  milliseconds: number;
  /** Two numbers: when the input in hand was begun (milliseconds), and its length in bytes. */
  state: Float64Array;
  /** The input in hand, for the case that it is never finished. */
  input: Uint8Array;
}

/** What came of one target. */
export interface Outcome {
  tried: number;
  refused: number;
  /** Inputs that ran code which none had run before. */
  kept: number;
  lost: { why: string; input: Uint8Array }[];
}

const BATCH = 50;
const MOST_KEPT = 500;

async function fuzz(job: Job, target: Target, folder: string, coverage: Coverage): Promise<Outcome> {
  const outcome: Outcome = { tried: 0, refused: 0, kept: 0, lost: [] };
  const random = randomNumbers(job.seed);
  const inputs = target.seeds();
  for (const seed of inputs) await attempt(seed, target, folder, job, outcome);
  await coverage.newParts();
  const end = Date.now() + job.milliseconds;
  while (Date.now() < end) {
    const batch = Array.from({ length: BATCH }, () => mutated(inputs, random));
    for (const input of batch) if (Date.now() < end) await attempt(input, target, folder, job, outcome);
    if ((await coverage.newParts()) === 0 || inputs.length > MOST_KEPT) continue;
    // Which one it was is not known: all of them are worth further changes.
    const chosen = batch.filter(() => random() < 0.1);
    inputs.push(...chosen);
    outcome.kept += chosen.length;
  }
  return outcome;
}

async function attempt(
  input: Buffer,
  target: Target,
  folder: string,
  { state, input: inHand }: Job,
  outcome: Outcome,
): Promise<void> {
  inHand.set(input.subarray(0, inHand.length));
  state.set([Date.now(), Math.min(input.length, inHand.length)]);
  outcome.tried += 1;
  try {
    await target.read(input, folder);
  } catch (error) {
    if (error instanceof UserError) outcome.refused += 1;
    else
      outcome.lost.push({
        why: error instanceof Error ? (error.stack ?? error.message) : String(error),
        input,
      });
  } finally {
    state[0] = 0;
  }
}

const job = workerData as Job;
const folder = mkdtempSync(join(tmpdir(), 'mender-docker-delta-fuzz-'));
try {
  const coverage = await measureCoverage();
  for (const number of job.targets) {
    const target = TARGETS[number];
    if (target !== undefined) parentPort?.postMessage(await fuzz(job, target, folder, coverage));
  }
  coverage.end();
} finally {
  rmSync(folder, { recursive: true, force: true });
}
