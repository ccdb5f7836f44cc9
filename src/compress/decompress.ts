import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { IntegrityError, UnsupportedError, messageOf, systemCodeOf } from '../errors.ts';
import type { Chunks } from '../io/streams.ts';
import { counted, limited, readHead } from '../io/streams.ts';
import type { CompressionFormat } from './magic.ts';
import { LONGEST_MAGIC, compressionOf } from './magic.ts';
import { unzstd } from './unzstd.ts';

/**
 * Large pieces, and room for the next one while one is read: small pieces cost several times the
 * work.
 */
const GUNZIP = { chunkSize: 1 << 20, highWaterMark: 1 << 20 };

/**
 * Decompresses `stream` by its content, whatever its media type says: gzip, zstd or none. Fails
 * with IntegrityError for damaged content and for more than `limit` bytes, with UnsupportedError
 * for xz and bzip2, and with the error of `stream`. Destroying the result destroys `stream`.
 */
export function decompressed(stream: Readable, limit = Infinity): Readable {
  const chunks = limited(uncompressed(stream as Chunks), limit, () => tooLarge(limit));
  const output = Readable.from(chunks, { objectMode: false, highWaterMark: 1 << 20 });
  output.once('close', () => stream.destroy());
  return output;
}

function tooLarge(limit: number): IntegrityError {
  return new IntegrityError(`the content is larger than ${limit} bytes uncompressed`);
}

/** As `decompressed`, for chunks and without a limit. */
export async function* uncompressed(stream: Chunks): AsyncGenerator<Buffer, void, undefined> {
  const chunks = stream[Symbol.asyncIterator]();
  try {
    const { head, all } = await readHead(chunks, LONGEST_MAGIC);
    const compression = compressionOf(head);
    if (compression === 'gzip') yield* gunzip(all);
    else if (compression === 'zstd') yield* unzstd(all);
    else if (compression === 'none') yield* all;
    else throw unsupported(compression);
  } finally {
    await chunks.return?.();
  }
}

function unsupported(compression: CompressionFormat): UnsupportedError {
  return new UnsupportedError(`the content is compressed with ${compression}`, {
    hint: 'compress it with gzip or zstd, or not at all',
  });
}

async function* gunzip(compressed: Chunks): AsyncGenerator<Buffer> {
  const decoder = createGunzip(GUNZIP);
  const input = { bytes: 0, drained: false };
  const fed = async function* (): AsyncGenerator<Buffer> {
    yield* counted(compressed, (bytes) => (input.bytes += bytes));
    input.drained = true;
  };
  const finished = pipeline(fed(), decoder).catch(() => undefined);
  try {
    yield* decoder as Chunks;
  } catch (error) {
    throw systemCodeOf(error)?.startsWith('Z_') === true ? damaged(messageOf(error)) : error;
  }
  // The decoder stops at the end of the last member. It takes no byte of what follows, zeros
  // included,
  // which other programs refuse or which end their reading.
  if (!input.drained || decoder.bytesWritten < input.bytes) throw damaged('bytes after its end');
  await finished;
}

function damaged(fault: string): IntegrityError {
  return new IntegrityError(`the gzip content is damaged: ${fault}`, {
    hint: 'compress the content again: other programs refuse it, too',
  });
}
