import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { encodePatch } from '../../../src/delta/patch/encodePatch.ts';
import { ownDecoderPath } from '../../../src/mender/onDevice/carriedDecoder.ts';
import { decodePatch } from '../../../src/patch/decodePatch.ts';
import { layerAt } from '../files.ts';

/** The folder of the decoder's programs, one for each machine. */
export const PROGRAMS = join(import.meta.dirname, '../../../src/mender/onDevice/decoder/bin');
/** The one that this machine runs. */
export const NATIVE = ownDecoderPath()!;

/** A patch of layers that were written to `folder`. */
export interface Written {
  sources: readonly string[];
  bytes: Buffer;
}

/** Writes layers and their patch to `folder`. */
export async function patchOf(
  folder: string,
  sources: readonly Uint8Array[],
  target: Uint8Array,
): Promise<Written> {
  const from = sources.map((bytes, index) => layerAt(join(folder, `source-${index}`), bytes));
  const destination = join(folder, 'patch');
  await encodePatch(from, layerAt(join(folder, 'target'), target), destination);
  return { sources: from.map(({ path }) => path), bytes: readFileSync(destination) };
}

/** What the TypeScript decoder makes of a patch that arrives in chunks of `chunkSize` bytes. */
export async function decoded(
  patch: Uint8Array,
  sources: readonly Uint8Array[],
  chunkSize: number = patch.length,
): Promise<Buffer> {
  const joined = Buffer.concat(sources);
  const read = (into: Uint8Array, position: number): void => {
    if (position + into.length > joined.length) throw new Error('read beyond the sources');
    into.set(joined.subarray(position, position + into.length));
  };
  const pieces: Buffer[] = [];
  const chunks = Readable.from(piecesOf(patch, chunkSize));
  for await (const piece of decodePatch(chunks, () => ({ read }))) {
    pieces.push(Buffer.from(piece));
  }
  return Buffer.concat(pieces);
}

function* piecesOf(bytes: Uint8Array, size: number): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

/** What a decoder program makes of a patch. `command` starts it, maybe in an emulator. */
export function decodedByProgram(
  patch: Uint8Array,
  sources: readonly string[],
  command: readonly string[] = [NATIVE],
): { status: number | null; stderr: string; target: Buffer } {
  const [program, ...rest] = [...command, 'decode', ...sources];
  const { status, stderr, stdout } = spawnSync(program!, rest, { input: patch, maxBuffer: 2 ** 30 });
  return { status, stderr: stderr.toString(), target: stdout };
}
