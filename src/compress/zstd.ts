import type { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import * as zlib from 'node:zlib';
import { UnsupportedError } from '../errors.ts';

type CreateZstdCompress = (options: { params: Record<number, number>; chunkSize: number }) => Transform;

// Since Node.js 22.15. The types are those of the oldest supported version.
const created = (zlib as { createZstdCompress?: CreateZstdCompress }).createZstdCompress;
const COMPRESSION_LEVEL = 100;
const CHECKSUM = 201;

/** True if this Node.js can compress with zstd. */
export const HAS_ZSTD = created !== undefined;

/**
 * The content as a zstd frame with a checksum. Throws UnsupportedError where this Node.js can't.
 */
export async function* zstd(
  content: AsyncIterable<Buffer>,
  level: number,
): AsyncGenerator<Buffer, void, undefined> {
  if (created === undefined) throw zstdUnsupported(process.version);
  const params = { [COMPRESSION_LEVEL]: level, [CHECKSUM]: 1 };
  const encoder = created({ params, chunkSize: 1 << 18 });
  // A failure destroys the encoder, so that the next line throws it.
  pipeline(content, encoder).catch(() => undefined);
  yield* encoder as AsyncIterable<Buffer>;
}

/** The error for Node.js `version` without zstd. */
export function zstdUnsupported(version: string): UnsupportedError {
  return new UnsupportedError(`packing with zstd needs Node.js 22.15 or later, this is ${version}`, {
    hint: ({ option }) =>
      `use ${option('compression', 'lzma or gzip')}, or ${option('writer', 'mender-artifact')} with mender-artifact 3.10.1 or later`,
  });
}
