import { stat } from 'node:fs/promises';
import { IntegrityError, systemCodeOf } from '../errors.ts';
import type { Log } from '../io/log.ts';
import type { ProgressTask } from '../io/progress.ts';
import type { Digest } from '../oci/digest.ts';

/** An uncompressed layer tar on disk. */
export interface LayerFile {
  diffID: Digest;
  path: string;
  /** Bytes. */
  size: number;
}

/** The encoders. Each writes VCDIFF that the stock tool decodes. */
export const ENCODERS = ['builtin', 'xdelta3', 'xdelta3-wasm'] as const;
export type EncoderName = (typeof ENCODERS)[number];

/** How much time may be spent on a smaller delta. */
export const EFFORTS = ['fast', 'default', 'best'] as const;
export type Effort = (typeof EFFORTS)[number];

export interface DeltaOptions {
  /** `auto` is the builtin encoder. */
  encoder: 'auto' | EncoderName;
  effort: Effort;
  /** Threads that one delta may use. The bytes do not depend on it. */
  workers: number;
  log: Log;
  progress?: ProgressTask;
  signal?: AbortSignal;
}

/** Writes a delta of both layers to a new file. Advances the progress by `to.size` in all. */
export type Encode = (
  from: LayerFile,
  to: LayerFile,
  destination: string,
  options: DeltaOptions,
) => Promise<void>;

/** The state of a file. It changes whenever the file is written to. */
export type FileStamp = string;

/**
 * The state of a layer's file. Throws IntegrityError if it is missing or does not have the layer's
 * size.
 */
export async function stampOf(layer: LayerFile): Promise<FileStamp> {
  const { size, mtimeMs, ino } = await statOf(layer);
  if (size !== layer.size) {
    throw new IntegrityError(
      `layer ${layer.diffID} in ${layer.path}: expected ${layer.size} bytes, found ${size}`,
      { hint: 'remove that file, so that the layer is fetched anew' },
    );
  }
  return `${ino} ${size} ${mtimeMs}`;
}

/** Throws IntegrityError unless the layer's file is still in the state `before`. */
export async function expectState(layer: LayerFile, before: FileStamp): Promise<void> {
  if ((await stampOf(layer)) === before) return;
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
