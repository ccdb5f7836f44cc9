import { Decompress } from 'fzstd';
import type { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import * as zlib from 'node:zlib';
import { IntegrityError, messageOf, UnsupportedError } from '../errors.ts';

const FRAME_MAGIC = 0xfd2fb528;
const SKIPPABLE_MAGIC = 0x184d2a50;
/**
 * zstd's own limit for decoding (`--long=27`); a larger window asks for more memory than content is
 * worth.
 */
const LARGEST_WINDOW = 2 ** 27;
const LARGEST_BLOCK = 1 << 17;

/**
 * Uncompresses zstd content of one or more frames, block by block, so that no more than the window and one block are
 * in memory. Throws IntegrityError for damaged content and UnsupportedError for a window over 128 MiB or a dictionary.
 * https://datatracker.ietf.org/doc/html/rfc8878#name-frames
 */
export async function* unzstd(compressed: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const input = createInput(compressed);
  for (let magic = await input.take(4, true); magic.length > 0; magic = await input.take(4, true)) {
    const number = magic.readUInt32LE();
    if (number === FRAME_MAGIC) yield* frame(input, magic);
    else if ((number & 0xfffffff0) >>> 0 === SKIPPABLE_MAGIC) await skipFrame(input);
    else throw damaged('no frame where one is expected');
  }
}

async function* frame(input: Input, magic: Buffer): AsyncGenerator<Buffer> {
  const header = await readHeader(input, magic);
  const output: Buffer[] = [];
  const decoder = new Decompress((data) => void output.push(Buffer.from(data)));
  let pending = header.bytes;
  for (let last = false; !last;) {
    const block = await readBlock(input);
    last = block.last;
    decode(decoder, Buffer.concat([pending, block.bytes]));
    pending = EMPTY;
    yield* output.splice(0).filter((data) => data.length > 0);
  }
  // The checksum is not looked at: every caller compares a digest.
  decode(decoder, await input.take(header.checksumSize), true);
  yield* output.filter((data) => data.length > 0);
}

const EMPTY = Buffer.alloc(0);

function decode(decoder: Decompress, bytes: Buffer, final = false): void {
  try {
    decoder.push(bytes, final);
  } catch (error) {
    throw damaged(messageOf(error));
  }
}

/** https://datatracker.ietf.org/doc/html/rfc8878#name-frame-header */
async function readHeader(input: Input, magic: Buffer): Promise<{ bytes: Buffer; checksumSize: number }> {
  const first = await input.take(1);
  const flags = first.readUInt8();
  if ((flags & 3) !== 0) throw new UnsupportedError('the zstd content needs a dictionary');
  const single = (flags & 0x20) !== 0;
  const sizeBytes = flags >> 6 === 0 ? (single ? 1 : 0) : 1 << (flags >> 6);
  const rest = await input.take((single ? 0 : 1) + sizeBytes);
  const window = single ? contentSize(rest) : windowSize(rest.readUInt8());
  if (window > LARGEST_WINDOW) {
    throw new UnsupportedError(`the zstd content needs a window of ${window} bytes, over ${LARGEST_WINDOW}`);
  }
  return { bytes: Buffer.concat([magic, first, rest]), checksumSize: (flags & 4) === 0 ? 0 : 4 };
}

function contentSize(bytes: Buffer): number {
  if (bytes.length === 8) return Number(bytes.readBigUInt64LE());
  return bytes.readUIntLE(0, bytes.length) + (bytes.length === 2 ? 256 : 0);
}

function windowSize(descriptor: number): number {
  const base = 2 ** (10 + (descriptor >> 3));
  return base + (base / 8) * (descriptor & 7);
}

/** https://datatracker.ietf.org/doc/html/rfc8878#name-blocks */
async function readBlock(input: Input): Promise<{ bytes: Buffer; last: boolean }> {
  const header = await input.take(3);
  const value = header.readUIntLE(0, 3);
  const size = value >> 3;
  if (size > LARGEST_BLOCK) throw damaged(`a block of ${size} bytes`);
  const repeated = ((value >> 1) & 3) === 1;
  return { bytes: Buffer.concat([header, await input.take(repeated ? 1 : size)]), last: (value & 1) === 1 };
}

async function skipFrame(input: Input): Promise<void> {
  let left = (await input.take(4)).readUInt32LE();
  while (left > 0) left -= (await input.take(Math.min(left, LARGEST_BLOCK))).length;
}

interface Input {
  /**
   * Exactly `size` bytes; none at the end of the content if `orEnd`. Throws IntegrityError when it
   * ends within them.
   */
  take(size: number, orEnd?: boolean): Promise<Buffer>;
}

function createInput(compressed: AsyncIterable<Buffer>): Input {
  const chunks = compressed[Symbol.asyncIterator]() as AsyncIterator<Buffer, undefined>;
  let held: Buffer = EMPTY;
  const take = async (size: number, orEnd = false): Promise<Buffer> => {
    const parts = [held];
    for (let length = held.length; length < size;) {
      const { done, value } = await chunks.next();
      if (done === true && orEnd && length === 0) return EMPTY;
      if (done === true) throw damaged('it ends too early');
      parts.push(value);
      length += value.length;
    }
    const all = parts.length === 1 ? held : Buffer.concat(parts);
    held = all.subarray(size);
    return all.subarray(0, size);
  };
  return { take };
}

function damaged(fault: string): IntegrityError {
  return new IntegrityError(`the zstd content is damaged: ${fault}`);
}

type CreateZstdCompress = (options: { params: Record<number, number>; chunkSize: number }) => Transform;

// Since Node.js 22.15; the types are those of the oldest supported version.
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
  // Its failure destroys the encoder, and so is thrown below.
  pipeline(content, encoder).catch(() => undefined);
  yield* encoder as AsyncIterable<Buffer>;
}

/** What a user can do where Node.js `version` has no zstd. */
export function zstdUnsupported(version: string): UnsupportedError {
  return new UnsupportedError(`packing with zstd needs Node.js 22.15 or later, this is ${version}`, {
    hint: 'use --compression lzma or gzip, or --writer mender-artifact with mender-artifact 3.10.1 or later',
  });
}
