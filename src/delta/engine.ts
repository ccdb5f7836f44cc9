import { rm, stat } from 'node:fs/promises';
import { IntegrityError, ToolError, UnsupportedError, UserError } from '../errors.ts';
import { fileError } from '../io/files.ts';
import { digestOfFile } from '../io/verify.ts';
import { encodeBuiltin } from './builtin/encode.ts';
import type { DeltaOptions, Encode, EncoderName, LayerFile } from './layer.ts';
import { LARGEST_LAYERS } from './patch/encodePatch.ts';
import { runPatchJob } from './patchInThread.ts';
import type { PatchOptions } from './patchProof.ts';
import { provePatch } from './patchProof.ts';
import { proveDelta, proveForeignDelta } from './proof.ts';
import { looksCompressed } from './sniff.ts';
import { expectState, stampOf } from './layer.ts';
import { encodeWithXdelta3, hasXdelta3 } from './xdelta3.ts';
import { encodeWithWasm } from './xdelta3Wasm/xdelta3Wasm.ts';

export { chooseBaseLayers } from './baseLayers.ts';

/**
 * Raise a version whenever the output of its encoder changes: deltas in a cache are found by it.
 */
const VERSIONS: Record<EncoderName, number> = { builtin: 3, xdelta3: 1, 'xdelta3-wasm': 1 };

const ENCODE: Record<EncoderName, Encode> = {
  builtin: encodeBuiltin,
  xdelta3: encodeWithXdelta3,
  'xdelta3-wasm': encodeWithWasm,
};

/** The version of patches in a cache key. Raise it whenever their bytes change. */
export const PATCH_VERSION = 'patch-1';

/** The part of a cache key that says how a delta was made: `builtin-3-default`. */
export function encoderVersion({ encoder, effort }: Pick<DeltaOptions, 'encoder' | 'effort'>): string {
  const name = encoderOf(encoder);
  return `${name}-${VERSIONS[name]}-${effort}`;
}

/**
 * Writes a delta that turns `from` into `to` to the temporary path `destination`, and proves it:
 * our decoder, and the stock xdelta3 if it is installed, decode it to exactly `to.diffID`. Returns
 * its size in bytes, or undefined if no device could use a delta of this base layer; the layer must
 * then ship whole.
 *
 * Throws IntegrityError if a layer is damaged or changes meanwhile, or if the proof fails;
 * ToolError if the encoder is missing or fails; UsageError if the disk is full. Then leaves nothing
 * at `destination`.
 */
export async function makeDelta(
  from: LayerFile,
  to: LayerFile,
  destination: string,
  options: DeltaOptions,
): Promise<{ size: number; encoder: EncoderName } | undefined> {
  const encoder = encoderOf(options.encoder);
  await stampOf(from);
  if (await looksCompressed(from.path)) return undefined;
  if (encoder === 'xdelta3') await requireXdelta3();
  const size = await makeProved(from, to, destination, options.signal, {
    encode: () => ENCODE[encoder](from, to, destination, options),
    prove: () => proveDelta(from, to, destination, options),
  });
  return { size, encoder };
}

/**
 * Writes a patch that turns `from` into `to` to the temporary path `destination`, and proves it:
 * our decoder, and the program at `decoder` if this machine runs it, decode it to exactly
 * `to.diffID`. Returns its size in bytes, or undefined and warns if the layers are too large for a
 * patch, or if it would read too much of the base layer on a device. Throws what `makeDelta`
 * throws. Leaves nothing at `destination` in all these cases.
 */
export async function makePatch(
  from: LayerFile,
  to: LayerFile,
  destination: string,
  options: PatchOptions,
): Promise<number | undefined> {
  if (from.size + to.size > LARGEST_LAYERS) {
    options.log.warning(`layer ${to.diffID} gets no patch: it and its base layer are too large for one`);
    return undefined;
  }
  try {
    return await makeProved(from, to, destination, options.signal, {
      encode: async () => {
        await runPatchJob({ kind: 'encode', from, to, path: destination }, options.signal);
        options.progress?.advance(to.size);
      },
      prove: () => provePatch(from, to, destination, options),
    });
  } catch (error) {
    if (!(error instanceof UnsupportedError)) throw error;
    options.log.warning(`layer ${to.diffID} gets no patch: ${error.message}`);
    return undefined;
  }
}

/** Encodes and proves. Returns the size in bytes. Removes what it wrote if anything fails. */
async function makeProved(
  from: LayerFile,
  to: LayerFile,
  destination: string,
  signal: AbortSignal | undefined,
  { encode, prove }: Record<'encode' | 'prove', () => Promise<void>>,
): Promise<number> {
  const before = [await stampOf(from), await stampOf(to)] as const;
  try {
    await withSourceVerified(from, encode);
    signal?.throwIfAborted();
    await prove();
    return (await stat(destination)).size;
  } catch (error) {
    await rm(destination, { force: true });
    await expectState(from, before[0]);
    await expectState(to, before[1]);
    throw fileError(error, `making a delta of ${to.diffID} in ${destination}`);
  }
}

/**
 * Returns true if the file at `path`, which anybody may have made, is a delta that turns `from`
 * into `to`, as `makeDelta` proves its own. The caller makes a delta if not. Throws IntegrityError
 * if `from` is damaged, and the signal's reason.
 */
export async function isProvedDelta(
  from: LayerFile,
  to: LayerFile,
  path: string,
  options: Pick<DeltaOptions, 'signal' | 'log'>,
): Promise<boolean> {
  if (await looksCompressed(from.path)) return false;
  const prove = (): Promise<void> => proveForeignDelta(from, to, path, options);
  const problem = await withSourceVerified(from, () => findProblem(prove, options.signal));
  if (problem === undefined) return true;
  options.log.warning(`a shared delta of ${to.diffID} ${problem}`);
  return false;
}

/** Returns what a proof has found, or undefined if it succeeds. Throws all but UserErrors. */
async function findProblem(
  prove: () => Promise<void>,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  try {
    await prove();
    return undefined;
  } catch (error) {
    signal?.throwIfAborted();
    if (!(error instanceof UserError)) throw error;
    const what = error instanceof ToolError ? "can't be checked" : 'is wrong';
    return `${what}, and is made again: ${error.message}`;
  }
}

function encoderOf(encoder: DeltaOptions['encoder']): EncoderName {
  return encoder === 'auto' ? 'builtin' : encoder;
}

/** Throws ToolError if the encoder is a program that is not installed. */
export async function requireEncoder(encoder: DeltaOptions['encoder']): Promise<void> {
  if (encoder === 'xdelta3') await requireXdelta3();
}

async function requireXdelta3(): Promise<void> {
  if (await hasXdelta3()) return;
  throw new ToolError('making a delta with xdelta3: it is not installed', {
    hint: ({ option }) =>
      `install it (Debian: apt-get install xdelta3), or let ${option('encoder', 'builtin')} do without it`,
  });
}

/** A source that is damaged on disk would prove itself; the device has the true one. */
async function withSourceVerified<T>(from: LayerFile, work: () => Promise<T>): Promise<T> {
  const [done, source] = await Promise.allSettled([work(), digestOfFile(from.path)]);
  if (source.status === 'fulfilled' && source.value.digest !== from.diffID) {
    throw new IntegrityError(`layer in ${from.path}: expected ${from.diffID}, found ${source.value.digest}`, {
      hint: 'remove that file, so that the layer is fetched anew',
    });
  }
  if (done.status === 'rejected') throw done.reason;
  if (source.status === 'rejected') throw source.reason;
  return done.value;
}
