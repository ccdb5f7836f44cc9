import type { Effort } from '../layer.ts';
import { PositionedFile } from '../tar/positioned.ts';
import type { Plan } from './types.ts';
import { WindowEncoder } from './windowEncoder.ts';

/** All that a thread needs to encode any window; may be sent to another thread, which then shares the plan's memory. */
export interface WindowJob {
  plan: Plan;
  oldPath: string;
  newPath: string;
  effort: Effort;
}

/** An encoder with both files open, and `close`. Throws the system's error if a file can't be opened. */
export function openEncoder(job: WindowJob): { encoder: WindowEncoder; close: () => void } {
  const oldFile = new PositionedFile(job.oldPath);
  try {
    const newFile = new PositionedFile(job.newPath);
    const close = () => [oldFile, newFile].forEach((file) => file.close());
    return { encoder: new WindowEncoder(job.plan, oldFile, newFile, job.effort), close };
  } catch (error) {
    oldFile.close();
    throw error;
  }
}
