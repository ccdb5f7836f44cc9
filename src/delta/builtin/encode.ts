import { open, type FileHandle } from 'node:fs/promises';
import { setImmediate } from 'node:timers/promises';
import { FILE_HEADER, WINDOW_SIZE } from '../../vcdiff/format.ts';
import { HAS_THREADS } from '../../io/threads.ts';
import type { DeltaOptions, LayerFile } from '../layer.ts';
import { PositionedFile } from '../tar/positioned.ts';
import type { EntryPairs } from './types.ts';
import { pairEntries } from './entryPairs.ts';
import { openEncoder, type WindowJob } from './windowJob.ts';
import { encodeInThreads } from './windowThreads.ts';

/**
 * Writes a VCDIFF file to `destination` that makes `to` from `from`. Its bytes depend only on both
 * contents and the effort. With `workers` above 1 it uses that many threads, if the code runs
 * compiled. Memory does not grow with the layers, except for 40 bytes per tar entry.
 *
 * Throws the system's error if reading or writing fails, and the signal's reason if it is aborted.
 * The caller then removes the incomplete file.
 */
export async function encodeBuiltin(
  from: LayerFile,
  to: LayerFile,
  destination: string,
  options: DeltaOptions,
): Promise<void> {
  const job: WindowJob = {
    pairs: pairsOf(from.path, to.path),
    basePath: from.path,
    newPath: to.path,
    effort: options.effort,
  };
  const { new: table } = job.pairs;
  const output = await open(destination, 'w');
  try {
    await writeWindows(output, job, table.start[table.count]!, options);
  } finally {
    await output.close();
  }
}

function pairsOf(basePath: string, newPath: string): EntryPairs {
  const baseFile = new PositionedFile(basePath);
  try {
    const newFile = new PositionedFile(newPath);
    try {
      return pairEntries(baseFile, newFile);
    } finally {
      newFile.close();
    }
  } finally {
    baseFile.close();
  }
}

async function writeWindows(
  output: FileHandle,
  job: WindowJob,
  size: number,
  options: DeltaOptions,
): Promise<void> {
  await output.writeFile(FILE_HEADER);
  const starts = windowStarts(size);
  const threads = Math.min(options.workers, starts.length);
  const windows =
    HAS_THREADS && threads > 1 ? encodeInThreads(job, starts, threads) : encodeHere(job, starts);
  let done = 0;
  for await (const window of windows) {
    options.signal?.throwIfAborted();
    await output.writeFile(window);
    options.progress?.advance(Math.min(WINDOW_SIZE, size - done));
    done += WINDOW_SIZE;
  }
}

/** The positions of the windows of a target. An empty target has one empty window. */
function windowStarts(size: number): number[] {
  return Array.from(
    { length: Math.max(1, Math.ceil(size / WINDOW_SIZE)) },
    (_, index) => index * WINDOW_SIZE,
  );
}

async function* encodeHere(
  job: WindowJob,
  starts: readonly number[],
): AsyncGenerator<Uint8Array, void, undefined> {
  const { encoder, close } = openEncoder(job);
  try {
    for (const start of starts) {
      yield encoder.encode(start);
      await setImmediate();
    }
  } finally {
    close();
  }
}
