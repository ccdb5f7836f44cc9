import { createReadStream } from 'node:fs';
import { resolve } from 'node:path';
import { optional } from 'valibot';
import { makeDelta } from '../delta/engine.ts';
import type { EncoderName, Effort, LayerFile } from '../delta/layer.ts';
import { SourceFile } from '../delta/sourceFile.ts';
import { statUserFile } from '../io/readUserFile.ts';
import { digestOfFile } from '../io/verify.ts';
import { decodeVcdiff as decodeChunks } from '../vcdiff/decode.ts';
import type { VcdiffSource } from '../vcdiff/decodeWindow.ts';
import type { RunOptions } from './run.ts';
import { contextOf } from './run.ts';
import { checkArgument, checkOptions } from './checkOptions.ts';
import type { SchemaOf } from './checkOptions.ts';
import { amount, optionOf, text } from './schemas.ts';

export interface EncodeOptions {
  encoder?: 'auto' | EncoderName;
  effort?: Effort;
  /** Threads. The bytes of the delta do not depend on it. The default is 1. */
  workers?: number;
}

const ENCODE_SCHEMA: SchemaOf<EncodeOptions> = {
  encoder: optionOf('encoder'),
  effort: optionOf('effort'),
  workers: optional(amount),
};

/**
 * Writes a VCDIFF file (RFC 3284) that turns the file `from` into the file `to`, and proves it. Tar
 * archives are compared file by file. Returns the size of the delta in bytes, or undefined if
 * xdelta3 on a device could not use the source, because it begins like a compressed file. Throws
 * IntegrityError, ToolError, NotFoundError for a missing file, and UsageError.
 */
export async function encodeVcdiff(
  from: string,
  to: string,
  delta: string,
  options: EncodeOptions = {},
  run: RunOptions = {},
): Promise<number | undefined> {
  for (const [name, path] of Object.entries({ from, to, delta })) checkArgument(name, path, text);
  checkOptions(options, ENCODE_SCHEMA);
  const { folder, log, signal } = contextOf(run);
  const { encoder = 'auto', effort = 'default', workers = 1 } = options;
  const [source, target] = [await fileAt(resolve(folder, from)), await fileAt(resolve(folder, to))];
  const made = await makeDelta(source, target, resolve(folder, delta), {
    encoder,
    effort,
    workers,
    log,
    signal,
  });
  return made?.size;
}

/**
 * Decodes a VCDIFF file. Yields the target in pieces; each is valid until the next one is
 * requested. `largest` limits the target, in bytes. Throws IntegrityError for a damaged delta or
 * another source, UnsupportedError for secondary compression, NotFoundError for a missing file, and
 * UsageError for a folder, device or named pipe.
 */
export async function* decodeVcdiff(
  from: string,
  delta: string,
  largest: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  for (const [name, path] of Object.entries({ from, delta })) checkArgument(name, path, text);
  checkArgument('largest', largest, amount);
  for (const path of [from, delta]) await statUserFile(path);
  const source: VcdiffSource & { close(): void } = new SourceFile(from);
  try {
    yield* decodeChunks(createReadStream(delta) as AsyncIterable<Uint8Array>, source, largest);
  } finally {
    source.close();
  }
}

async function fileAt(path: string): Promise<LayerFile> {
  await statUserFile(path);
  const { digest, size } = await digestOfFile(path);
  return { diffID: digest, path, size };
}
