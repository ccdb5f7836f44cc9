import { open } from 'node:fs/promises';
import { FILE_HEADER, WINDOW_SIZE } from '../../vcdiff/format.ts';
import type { DeltaOptions, LayerFile } from '../layer.ts';
import { PositionedFile } from '../tar/positioned.ts';
import { makePlan } from './plan.ts';
import { WindowEncoder } from './windowEncoder.ts';

/** Writes the delta that makes `to` from `from` to `destination`. Throws the system's error when a file fails. */
export async function encodeBuiltin(
  from: LayerFile,
  to: LayerFile,
  destination: string,
  options: DeltaOptions,
): Promise<void> {
  const oldFile = new PositionedFile(from.path);
  const newFile = new PositionedFile(to.path);
  try {
    const output = await open(destination, 'w');
    try {
      await output.write(FILE_HEADER);
      const encoder = new WindowEncoder(makePlan(oldFile, newFile), oldFile, newFile, options.effort);
      let start = 0;
      do {
        options.signal?.throwIfAborted();
        await output.write(encoder.encode(start));
        options.progress?.advance(Math.min(WINDOW_SIZE, newFile.size - start));
        start += WINDOW_SIZE;
      } while (start < newFile.size);
    } finally {
      await output.close();
    }
  } finally {
    oldFile.close();
    newFile.close();
  }
}
