import { createHash } from 'node:crypto';
import { execa } from 'execa';
import { IntegrityError, ToolError, messageOf } from '../errors.ts';
import type { Digest } from '../oci/digest.ts';
import type { DeltaOptions, LayerFile } from './layer.ts';
import { runPatchJob } from './patchInThread.ts';

export interface PatchOptions extends Pick<DeltaOptions, 'signal' | 'log' | 'progress'> {
  /**
   * The path of the decoder that devices run, built for this machine; undefined if there is none.
   */
  decoder?: string | undefined;
}

/**
 * Resolves if the patch turns `from` into `to`, byte for byte, by our decoder and at the same time
 * by the one that devices run, if this machine runs it. Throws UnsupportedError if it reads too
 * much of `from`, and IntegrityError or ToolError if it is wrong.
 */
export async function provePatch(
  from: LayerFile,
  to: LayerFile,
  patch: string,
  { decoder, signal, log }: PatchOptions,
): Promise<void> {
  const isRunnable = decoder !== undefined && (await runsHere(decoder));
  if (!isRunnable) log.debug(`proving the patch of ${to.diffID} without the decoder of devices`);
  const proofs = await Promise.allSettled([
    runPatchJob({ kind: 'decode', from, to, path: patch }, signal),
    isRunnable ? proveByProgram(decoder, from, to, patch, signal) : undefined,
  ]);
  for (const proof of proofs) if (proof.status === 'rejected') throw proof.reason;
}

const runnable = new Map<string, Promise<boolean>>();

/** True if this machine runs the decoder, and its test of itself is right. Asks only once. */
function runsHere(decoder: string): Promise<boolean> {
  const known = runnable.get(decoder);
  if (known !== undefined) return known;
  const result = execa(decoder, ['test'], {
    reject: false,
    stdin: 'ignore',
    stdout: 'ignore',
    stderr: 'ignore',
  });
  const answer = result.then(({ exitCode }) => exitCode === 0);
  runnable.set(decoder, answer);
  return answer;
}

async function proveByProgram(
  decoder: string,
  from: LayerFile,
  to: LayerFile,
  patch: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const found = await digestByProgram(decoder, from, patch, signal);
  if (found === to.diffID) return;
  throw new IntegrityError(`proving a patch with ${decoder}: expected ${to.diffID}, found ${found}`);
}

/** The digest of what the program decodes, called as a device calls it. Throws ToolError. */
async function digestByProgram(
  decoder: string,
  from: LayerFile,
  patch: string,
  signal: AbortSignal | undefined,
): Promise<Digest> {
  const sum = createHash('sha256');
  const subprocess = execa(decoder, ['decode', from.path], {
    inputFile: patch,
    buffer: { stdout: false },
    maxBuffer: { stderr: 1 << 16 },
    encoding: 'buffer',
    ...(signal === undefined ? {} : { cancelSignal: signal }),
  });
  const finished = subprocess.then(
    () => undefined,
    (error: unknown) => error,
  );
  for await (const chunk of subprocess.stdout) sum.update(chunk as Buffer);
  const failed = await finished;
  signal?.throwIfAborted();
  if (failed === undefined) return `sha256:${sum.digest('hex')}`;
  throw new ToolError(`proving a patch with ${decoder}: ${reasonOf(failed)}`, { cause: failed });
}

/** What the program said, or else how it ended. */
function reasonOf(failed: unknown): string {
  const stderr = failed instanceof Error && 'stderr' in failed ? (failed.stderr as Uint8Array) : [];
  return Buffer.from(stderr).toString().trim() || messageOf(failed);
}
