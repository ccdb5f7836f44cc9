import type { Digest } from '../oci/digest.ts';
import type { Log } from '../io/log.ts';
import type { ProgressTask } from '../io/progress.ts';

/** An uncompressed layer tar on disk. */
export interface LayerFile {
  diffID: Digest;
  path: string;
  /** Bytes. */
  size: number;
}

/** The encoders that stand behind one interface; every one of them writes VCDIFF that the stock tool decodes. */
export const ENCODERS = ['builtin', 'xdelta3', 'xdelta3-wasm'] as const;
export type EncoderName = (typeof ENCODERS)[number];

/** How much time may be spent on a smaller delta. */
export const EFFORTS = ['fast', 'default', 'best'] as const;
export type Effort = (typeof EFFORTS)[number];

export interface DeltaOptions {
  /** `auto` is the builtin encoder. */
  encoder: 'auto' | EncoderName;
  effort: Effort;
  /** Threads that one delta may use; its bytes do not depend on it. */
  workers: number;
  log: Log;
  progress?: ProgressTask;
  signal?: AbortSignal;
}

/** What an encoder is given: both layers, and a new file to write. It advances the progress by `to.size` in all. */
export type Encode = (
  from: LayerFile,
  to: LayerFile,
  destination: string,
  options: DeltaOptions,
) => Promise<void>;
