import { promisify } from 'node:util';
import { crc32, gzip as gzipCallback } from 'node:zlib';
import { IntegrityError } from '../errors.ts';

const compress = promisify(gzipCallback);
/** Bytes per member: so many that headers and lost context cost less than a thousandth. */
const PIECE = 1 << 20;

/**
 * Packs the content into gzip members of 1 MiB each, and compresses up to `threads` of them at
 * once. The bytes depend on the content and the level (1 to 9) alone.
 * https://datatracker.ietf.org/doc/html/rfc1952#section-2.2
 */
export async function* gzip(
  content: AsyncIterable<Buffer>,
  level: number,
  threads: number,
): AsyncGenerator<Buffer, void, undefined> {
  const running: Promise<Buffer>[] = [];
  for await (const piece of pieces(content)) {
    const member = compress(piece, { level });
    // If an earlier one fails, nobody waits for this one.
    member.catch(() => undefined);
    running.push(member);
    if (running.length > threads) yield await (running.shift() as Promise<Buffer>);
  }
  for (const member of running) yield await member;
}

/** The content in pieces of 1 MiB: at least one, so that empty content gives a gzip file, too. */
async function* pieces(content: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let held: Buffer[] = [];
  let size = 0;
  for await (const chunk of content) {
    for (let at = 0; at < chunk.length;) {
      const part = chunk.subarray(at, at + PIECE - size);
      held.push(part);
      at += part.length;
      size += part.length;
      if (size < PIECE) continue;
      yield Buffer.concat(held);
      held = [];
      size = 0;
    }
  }
  yield Buffer.concat(held);
}

const HEADER = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff]);
const TRAILER_SIZE = 8;
const BLOCK_HEADER_SIZE = 5;
const LARGEST_BLOCK = 0xffff;
const EMPTY_BLOCK = blockHeader(0, false);

/** Exact length in bytes of `gzipStored` for content of `size` bytes. */
export function gzipStoredSize(size: number, emptyBlocks = 0): number {
  const blocks = Math.max(1, Math.ceil(size / LARGEST_BLOCK)) + emptyBlocks;
  return HEADER.length + size + blocks * BLOCK_HEADER_SIZE + TRAILER_SIZE;
}

/**
 * Wraps content of exactly `size` bytes into a gzip stream that stores it uncompressed, so that an
 * outer compression sees the raw bytes and the length is known before. Each of `emptyBlocks` adds 5
 * bytes. Throws IntegrityError if the content has another size.
 * https://datatracker.ietf.org/doc/html/rfc1951#section-3.2.4
 */
export async function* gzipStored(
  content: AsyncIterable<Buffer>,
  size: number,
  emptyBlocks = 0,
): AsyncGenerator<Buffer, void, undefined> {
  yield HEADER;
  for (let count = 0; count < emptyBlocks; count++) yield EMPTY_BLOCK;
  if (size === 0) yield blockHeader(0, true);
  let sum = 0;
  let position = 0;
  for await (const chunk of content) {
    // For an empty chunk, zlib would start the checksum again.
    if (chunk.length === 0) continue;
    sum = crc32(chunk, sum);
    yield* inBlocks(chunk, position, size);
    position += chunk.length;
  }
  if (position < size) throw wrongSize(size, position);
  yield trailer(sum, size);
}

/** The chunk at `position`, with a header at the start of each block. */
function* inBlocks(chunk: Buffer, position: number, size: number): Generator<Buffer> {
  if (position + chunk.length > size) throw wrongSize(size, position + chunk.length);
  for (let done = 0; done < chunk.length;) {
    const inBlock = (position + done) % LARGEST_BLOCK;
    const left = size - position - done;
    if (inBlock === 0) yield blockHeader(Math.min(LARGEST_BLOCK, left), left <= LARGEST_BLOCK);
    const part = chunk.subarray(done, done + LARGEST_BLOCK - inBlock);
    yield part;
    done += part.length;
  }
}

function blockHeader(length: number, last: boolean): Buffer {
  const header = Buffer.alloc(BLOCK_HEADER_SIZE);
  header[0] = last ? 1 : 0;
  header.writeUInt16LE(length, 1);
  header.writeUInt16LE(~length & 0xffff, 3);
  return header;
}

function trailer(sum: number, size: number): Buffer {
  const bytes = Buffer.alloc(TRAILER_SIZE);
  bytes.writeUInt32LE(sum, 0);
  bytes.writeUInt32LE(size % 2 ** 32, 4);
  return bytes;
}

function wrongSize(expected: number, found: number): IntegrityError {
  return new IntegrityError(`packing: expected ${expected} bytes, found ${found}`);
}
