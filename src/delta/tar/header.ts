/** Bytes of a block. A tar is a sequence of blocks. */
export const BLOCK = 512;

const CHECKSUM_AT = 148;
const CHECKSUM_END = 156;

/**
 * The fields of a tar header that tell where its parts are.
 * https://www.gnu.org/software/tar/manual/html_node/Standard.html
 */
export interface Header {
  /** The typeflag's character code. */
  type: number;
  /** Bytes of the body as the header claims, which may be wrong. */
  size: number;
  /** The path's bytes, with the ustar prefix. */
  name: Uint8Array;
  /** True for an old GNU sparse file with more headers of 512 bytes after this one. */
  extended: boolean;
}

/** Character codes of the typeflags that matter here. */
export const TYPE = {
  hardLink: 0x31,
  fifo: 0x36,
  pax: 0x78,
  paxGlobal: 0x67,
  gnuLongName: 0x4c,
  gnuLongLink: 0x4b,
  gnuSparse: 0x53,
} as const;

/** The header in the 512 bytes of `block`, or undefined if its checksum or size is wrong. */
export function parseHeader(block: Uint8Array): Header | undefined {
  if (!isHeader(block)) return undefined;
  const size = number(block, 124, 12);
  if (size === undefined) return undefined;
  const type = block[156]!;
  return { type, size, name: nameOf(block), extended: type === TYPE.gnuSparse && block[482] === 1 };
}

/**
 * True if the block's checksum is right as a sum of unsigned bytes or, as in old tars, of signed
 * ones.
 */
export function isHeader(block: Uint8Array): boolean {
  const claimed = number(block, CHECKSUM_AT, CHECKSUM_END - CHECKSUM_AT);
  if (block.length < BLOCK || claimed === undefined || claimed === 0) return false;
  const { sum, high } = sumsOf(new DataView(block.buffer, block.byteOffset, BLOCK));
  const unsigned = sum + (CHECKSUM_END - CHECKSUM_AT) * 0x20;
  return claimed === unsigned || claimed === unsigned - 256 * high;
}

/** The sum of the bytes outside the checksum, and how many of them are negative as signed bytes. */
function sumsOf(block: DataView): { sum: number; high: number } {
  // Four bytes at a time, because a layer has a hundred thousand headers: sums in two lanes of 16
  // bits, counts in four lanes of 8.
  let sums = 0;
  let highs = 0;
  for (let at = 0; at < BLOCK; at += 4) {
    if (at === CHECKSUM_AT) at = CHECKSUM_END;
    const word = block.getInt32(at, true);
    sums += (word & 0x00ff00ff) + ((word >>> 8) & 0x00ff00ff);
    highs += (word >>> 7) & 0x01010101;
  }
  const pairs = (highs & 0x00ff00ff) + ((highs >>> 8) & 0x00ff00ff);
  return { sum: (sums & 0xffff) + Math.floor(sums / 2 ** 16), high: (pairs & 0xffff) + (pairs >>> 16) };
}

/** True if the block is all zeros, like the end of a tar. */
export function isZero(block: Uint8Array): boolean {
  return block.every((byte) => byte === 0);
}

/** An octal or base-256 number; undefined if it is malformed, negative or above 2^53 - 1. */
export function number(block: Uint8Array, at: number, length: number): number | undefined {
  return block[at]! >= 128 ? base256(block, at, length) : octal(block, at, length);
}

function octal(block: Uint8Array, start: number, length: number): number | undefined {
  let at = start;
  const end = start + length;
  while (at < end && block[at] === 0x20) at++;
  let value = 0;
  for (; at < end && block[at] !== 0 && block[at] !== 0x20; at++) {
    const digit = block[at]! - 0x30;
    if (digit < 0 || digit > 7) return undefined;
    value = value * 8 + digit;
  }
  return value;
}

function base256(block: Uint8Array, at: number, length: number): number | undefined {
  let value = block[at]! & 127;
  for (let next = at + 1; next < at + length; next++) value = value * 256 + block[next]!;
  return value <= Number.MAX_SAFE_INTEGER ? value : undefined;
}

function nameOf(block: Uint8Array): Uint8Array {
  const name = cString(block, 0, 100);
  const isUstar = block[257] === 0x75 && block[262] === 0 && block[263] === 0x30;
  const prefix = isUstar ? cString(block, 345, 500) : new Uint8Array();
  return prefix.length === 0 ? name : Buffer.concat([prefix, Uint8Array.of(0x2f), name]);
}

/** The bytes before the first zero. */
export function cString(bytes: Uint8Array, start: number, end: number): Uint8Array {
  let at = start;
  while (at < end && bytes[at] !== 0) at++;
  return bytes.subarray(start, at);
}
