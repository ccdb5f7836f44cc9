import { stat } from 'node:fs/promises';
import { IntegrityError, systemCodeOf } from '../errors.ts';
import type { LayerFile } from './layer.ts';

/** How a layer's file looked; another look differs when it was written to. */
export type FileState = string;

/** The state of a layer's file; throws IntegrityError when it is missing or has not the layer's size. */
export async function stateOf(layer: LayerFile): Promise<FileState> {
  const { size, mtimeMs, ino } = await statOf(layer);
  if (size !== layer.size) {
    throw new IntegrityError(
      `layer ${layer.diffID} in ${layer.path}: expected ${layer.size} bytes, found ${size}`,
      { hint: 'remove that file, so that the layer is fetched anew' },
    );
  }
  return `${ino} ${size} ${mtimeMs}`;
}

/** Throws IntegrityError unless the layer's file is in the state that it was in. */
export async function expectState(layer: LayerFile, before: FileState): Promise<void> {
  if ((await stateOf(layer)) === before) return;
  throw new IntegrityError(`layer ${layer.diffID} in ${layer.path}: it was changed while a delta was made`, {
    hint: 'let nothing else write to that folder, and try again',
  });
}

async function statOf(layer: LayerFile) {
  try {
    return await stat(layer.path);
  } catch (error) {
    if (systemCodeOf(error) !== 'ENOENT') throw error;
    throw new IntegrityError(`layer ${layer.diffID}: its file ${layer.path} is gone`, { cause: error });
  }
}
