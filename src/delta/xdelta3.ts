import { createHash } from 'node:crypto';
import { type Options, execa } from 'execa';
import { IntegrityError, ToolError, messageOf } from '../errors.ts';
import type { Digest } from '../oci/digest.ts';
import type { DeltaOptions, LayerFile } from './layer.ts';

const SMALLEST_BUFFER = 512 << 10;
const LARGEST_BUFFER = 64 << 20;

let installed: Promise<boolean> | undefined;

/** True if the stock `xdelta3` is installed. Asks only once. */
export function hasXdelta3(): Promise<boolean> {
  installed ??= execa('xdelta3', ['-V'], {
    reject: false,
    stdin: 'ignore',
    stdout: 'ignore',
    stderr: 'ignore',
  }).then((result) => result.exitCode === 0);
  return installed;
}

/**
 * Writes a delta with the stock `xdelta3 -9`, without application header and secondary compression,
 * and with a source window that a decoder keeps in memory. Throws ToolError with its stderr.
 */
export async function encodeWithXdelta3(
  from: LayerFile,
  to: LayerFile,
  destination: string,
  options: Pick<DeltaOptions, 'signal' | 'progress'>,
): Promise<void> {
  const buffer = Math.min(Math.max(from.size, SMALLEST_BUFFER), LARGEST_BUFFER);
  const flags = ['-e', '-9', '-f', '-D', '-S', 'none', '-A', '-B', String(buffer)];
  await run([...flags, '-s', from.path, to.path, destination], options.signal, 'making a delta with xdelta3');
  options.progress?.advance(to.size);
}

/**
 * Returns the digest of what the stock `xdelta3` decodes, called as a device calls it. Throws
 * ToolError if it fails, and IntegrityError if it makes more than `largest` bytes.
 */
export async function digestByXdelta3(
  from: Pick<LayerFile, 'path'>,
  delta: string,
  largest: number,
  signal?: AbortSignal,
): Promise<Digest> {
  const doing = 'decoding a delta with xdelta3';
  const sum = createHash('sha256');
  let size = 0;
  const subprocess = execa('xdelta3', ['-d', '-c', '-s', from.path, delta], options(signal));
  const finished = subprocess.then(
    () => undefined,
    (error: unknown) => failure(error, signal, doing),
  );
  for await (const chunk of subprocess.stdout as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > largest) {
      subprocess.kill('SIGKILL');
      break;
    }
    sum.update(chunk);
  }
  const failed = await finished;
  if (size > largest) throw new IntegrityError(`${doing}: it makes more than ${largest} bytes`);
  if (failed !== undefined) throw failed;
  return `sha256:${sum.digest('hex')}`;
}

async function run(args: string[], signal: AbortSignal | undefined, doing: string): Promise<void> {
  try {
    await execa('xdelta3', args, { ...options(signal), stdout: 'ignore' });
  } catch (error) {
    throw failure(error, signal, doing);
  }
}

/** Bytes of its messages. */
const MOST_MESSAGES = 1 << 16;

// The variable XDELTA would add flags.
function options(signal: AbortSignal | undefined) {
  return {
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
    buffer: { stdout: false },
    maxBuffer: { stderr: MOST_MESSAGES },
    encoding: 'buffer',
    env: { XDELTA: undefined },
    ...(signal === undefined ? {} : { cancelSignal: signal }),
  } as const satisfies Options;
}

function failure(error: unknown, signal: AbortSignal | undefined, doing: string): Error {
  if (signal?.aborted === true) return signal.reason as Error;
  const stderr =
    error instanceof Error && 'stderr' in error
      ? Buffer.from(error.stderr as Uint8Array)
          .toString()
          .trim()
      : '';
  if (stderr.includes('No space left on device')) {
    return Object.assign(new Error(stderr), { code: 'ENOSPC' });
  }
  return new ToolError(`${doing}: ${stderr || messageOf(error)}`, { cause: error });
}
