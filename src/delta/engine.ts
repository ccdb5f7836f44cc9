import { rm, stat } from 'node:fs/promises';
import { IntegrityError, ToolError } from '../errors.ts';
import { fileError } from '../io/files.ts';
import { digestOfFile } from '../io/verify.ts';
import { encodeBuiltin } from './builtin/encode.ts';
import type { DeltaOptions, Encode, EncoderName, LayerFile } from './layer.ts';
import { proveDelta } from './proof.ts';
import { looksCompressed } from './sniff.ts';
import { expectState, stateOf } from './layer.ts';
import { encodeWithXdelta3, hasXdelta3 } from './xdelta3.ts';
import { encodeWithWasm } from './xdelta3Wasm/xdelta3Wasm.ts';

export { chooseBaseLayers } from './baseLayers.ts';

/** Raised whenever an encoder's output changes, so that nobody takes an old delta from a cache. */
const VERSIONS: Record<EncoderName, number> = { builtin: 3, xdelta3: 1, 'xdelta3-wasm': 1 };

const ENCODE: Record<EncoderName, Encode> = {
  builtin: encodeBuiltin,
  xdelta3: encodeWithXdelta3,
  'xdelta3-wasm': encodeWithWasm,
};

/** The part of a cache key that says how a delta was made: `builtin-3-default`. */
export function encoderVersion({ encoder, effort }: Pick<DeltaOptions, 'encoder' | 'effort'>): string {
  const name = encoderOf(encoder);
  return `${name}-${VERSIONS[name]}-${effort}`;
}

/**
 * Writes a delta that turns `from` into `to` to `destination`, a temporary path of the caller's, and proves it: it is
 * decoded to exactly `to.diffID`, by our decoder and by the stock xdelta3 where that is installed. Returns its size in
 * bytes, or undefined when no device could use a delta of this source, so that the layer must ship whole.
 *
 * Throws IntegrityError when a layer is not what it should be, was changed meanwhile, or the proof fails; ToolError when
 * the chosen encoder is missing or fails; UsageError when the disk is full. Then nothing is left at `destination`.
 */
export async function makeDelta(
  from: LayerFile,
  to: LayerFile,
  destination: string,
  options: DeltaOptions,
): Promise<{ size: number; encoder: EncoderName } | undefined> {
  const encoder = encoderOf(options.encoder);
  const before = [await stateOf(from), await stateOf(to)] as const;
  if (await looksCompressed(from.path)) return undefined;
  if (encoder === 'xdelta3') await requireXdelta3();
  try {
    await withSourceVerified(from, () => ENCODE[encoder](from, to, destination, options));
    options.signal?.throwIfAborted();
    await proveDelta(from, to, destination, options);
    return { size: (await stat(destination)).size, encoder };
  } catch (error) {
    await rm(destination, { force: true });
    await expectState(from, before[0]);
    await expectState(to, before[1]);
    throw fileError(error, `making a delta of ${to.diffID} in ${destination}`);
  }
}

function encoderOf(encoder: DeltaOptions['encoder']): EncoderName {
  return encoder === 'auto' ? 'builtin' : encoder;
}

async function requireXdelta3(): Promise<void> {
  if (await hasXdelta3()) return;
  throw new ToolError('making a delta with xdelta3: it is not installed', {
    hint: 'install it (Debian: apt-get install xdelta3), or let --encoder builtin do without it',
  });
}

/** A source that rotted on disk would still be proved, by itself; the device has the true one. */
async function withSourceVerified(from: LayerFile, encode: () => Promise<void>): Promise<void> {
  const [encoded, source] = await Promise.allSettled([encode(), digestOfFile(from.path)]);
  if (source.status === 'fulfilled' && source.value.digest !== from.diffID) {
    throw new IntegrityError(`layer in ${from.path}: expected ${from.diffID}, found ${source.value.digest}`, {
      hint: 'remove that file, so that the layer is fetched anew',
    });
  }
  for (const result of [encoded, source]) if (result.status === 'rejected') throw result.reason;
}
