import { parentPort } from 'node:worker_threads';
import type { MessagePort } from 'node:worker_threads';
import { portableError } from '../errors.ts';
import { growingFile } from '../io/growingFile.ts';
import type { UnpackJob } from './unpack.ts';
import { unpackLayer } from './unpack.ts';

/** A layer to unpack from the file at `from`, which is still growing. */
export interface UnpackOrder {
  from: string;
  job: UnpackJob;
  /** Receives the file's growth, and sends one answer. */
  port: MessagePort;
}

/** Bytes of the uncompressed layer, or a portable error. */
export type UnpackAnswer = { size: number } | { failure: unknown };

// Each message is a layer to unpack. Several are unpacked at once.
parentPort?.on('message', ({ from, job, port }: UnpackOrder) => {
  const answer = unpackLayer(growingFile(from, port), job);
  const told = answer.then(
    (size): UnpackAnswer => ({ size }),
    (error: unknown): UnpackAnswer => ({ failure: portableError(error) }),
  );
  void told.then((result) => port.postMessage(result));
});
