import type { Effort } from '../layer.ts';
import { PositionedFile } from '../tar/positioned.ts';
import type { EntryPairs } from './types.ts';
import { WindowEncoder } from './windowEncoder.ts';

/**
 * What a thread needs to encode any window. It can be sent to threads, which share the memory of
 * the pairs.
 */
export interface WindowJob {
  pairs: EntryPairs;
  basePath: string;
  newPath: string;
  effort: Effort;
}

/**
 * An encoder with both files open, and `close`. Throws the system's error if a file can't be
 * opened.
 */
export function openEncoder(job: WindowJob): { encoder: WindowEncoder; close: () => void } {
  const baseFile = new PositionedFile(job.basePath);
  try {
    const newFile = new PositionedFile(job.newPath);
    const close = () => [baseFile, newFile].forEach((file) => file.close());
    return { encoder: new WindowEncoder(job.pairs, baseFile, newFile, job.effort), close };
  } catch (error) {
    baseFile.close();
    throw error;
  }
}
