import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { IntegrityError, UnsupportedError, messageOf, systemCodeOf } from '../errors.ts';
import { unzstd } from './zstd.ts';

type Chunks = AsyncIterable<Buffer>;
type ChunkIterator = AsyncIterator<Buffer, undefined>;
type Compression = 'gzip' | 'zstd' | 'xz' | 'bzip2' | 'none';

const MAGIC: readonly { compression: Compression; bytes: Buffer }[] = [
  { compression: 'gzip', bytes: Buffer.from([0x1f, 0x8b]) },
  { compression: 'zstd', bytes: Buffer.from([0x28, 0xb5, 0x2f, 0xfd]) },
  { compression: 'xz', bytes: Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]) },
  { compression: 'bzip2', bytes: Buffer.from('BZh') },
];
/** zstd's skippable frames, which may stand before the first real one: 0x184D2A50 to 0x184D2A5F, little endian. */
const SKIPPABLE = Buffer.from([0x2a, 0x4d, 0x18]);
const LONGEST_MAGIC = 6;
/** Large pieces, and room for the next one while the last is looked at: smaller ones cost several times the work. */
const GUNZIP = { chunkSize: 1 << 20, highWaterMark: 1 << 20 };

/** How content that begins like `head` (at least 6 bytes, if it has as many) is compressed. */
export function compressionOf(head: Uint8Array): Compression {
  const bytes = Buffer.from(head.buffer, head.byteOffset, head.byteLength);
  const known = MAGIC.find((magic) => bytes.subarray(0, magic.bytes.length).equals(magic.bytes));
  if (known !== undefined) return known.compression;
  const skippable = ((bytes[0] ?? 0) & 0xf0) === 0x50 && bytes.subarray(1, 4).equals(SKIPPABLE);
  return skippable ? 'zstd' : 'none';
}

/**
 * The bytes of `stream` uncompressed, whatever their media type promises: gzip, zstd or as they are. Fails with
 * IntegrityError for damaged content and for more than `limit` bytes, with UnsupportedError for xz and bzip2, and with
 * the stream's own error. Destroying the result destroys `stream`.
 */
export function decompressed(stream: Readable, limit?: number): Readable {
  const chunks = limited(uncompressed(stream as Chunks), limit);
  const output = Readable.from(chunks, { objectMode: false, highWaterMark: 1 << 20 });
  output.once('close', () => stream.destroy());
  return output;
}

/** As `decompressed`, of chunks, however many there are. */
export async function* uncompressed(stream: Chunks): AsyncGenerator<Buffer, void, undefined> {
  const chunks = stream[Symbol.asyncIterator]() as ChunkIterator;
  try {
    const { head, rest } = await peek(chunks);
    const compression = compressionOf(head);
    if (compression === 'gzip') yield* gunzip(rest);
    else if (compression === 'zstd') yield* unzstd(rest);
    else if (compression === 'none') yield* rest;
    else throw unsupported(compression);
  } finally {
    await chunks.return?.();
  }
}

function unsupported(compression: Compression): UnsupportedError {
  return new UnsupportedError(`the content is compressed with ${compression}`, {
    hint: 'compress it with gzip or zstd, or not at all',
  });
}

/** The first bytes, as many as `compressionOf` looks at if there are as many, and all of them, those included. */
export async function peek(chunks: ChunkIterator): Promise<{ head: Buffer; rest: Chunks }> {
  let head = Buffer.alloc(0);
  while (head.length < LONGEST_MAGIC) {
    const { done, value } = await chunks.next();
    if (done === true) break;
    head = Buffer.concat([head, value]);
  }
  return { head, rest: joined(head, chunks) };
}

async function* joined(head: Buffer, chunks: ChunkIterator): AsyncGenerator<Buffer> {
  if (head.length > 0) yield head;
  for (let next = await chunks.next(); next.done !== true; next = await chunks.next()) yield next.value;
}

async function* gunzip(compressed: Chunks): AsyncGenerator<Buffer> {
  const decoder = createGunzip(GUNZIP);
  const progress = { drained: false };
  const counted = async function* (): AsyncGenerator<Buffer> {
    yield* compressed;
    progress.drained = true;
  };
  const finished = pipeline(counted(), decoder).catch(() => undefined);
  try {
    yield* decoder as Chunks;
  } catch (error) {
    throw systemCodeOf(error)?.startsWith('Z_') === true ? damaged(messageOf(error)) : error;
  }
  // The decoder stops reading at the end of its last member: what follows would never be looked at.
  if (!progress.drained) throw damaged('bytes after its end');
  await finished;
}

function damaged(fault: string): IntegrityError {
  return new IntegrityError(`the gzip content is damaged: ${fault}`);
}

async function* limited(chunks: Chunks, limit: number = Infinity): AsyncGenerator<Buffer, void, undefined> {
  let size = 0;
  for await (const chunk of chunks) {
    size += chunk.length;
    if (size > limit) throw new IntegrityError(`the content is larger than ${limit} bytes uncompressed`);
    yield chunk;
  }
}
