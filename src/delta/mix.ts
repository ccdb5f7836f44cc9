/**
 * The building blocks of all 32-bit checksums of the encoder. Equal content has equal sums;
 * different content may have equal sums too, so every user of a sum compares the bytes. The bytes
 * of a delta depend on these functions: a change needs a new encoder version.
 */

const GOLDEN = 0x9e3779b1;
const SPREAD = 0x85ebca6b;
const FNV_PRIME = 0x01000193;

/** What a sum of bytes begins with (FNV-1a). */
export const FNV_SEED = 0x811c9dc5;

/** The sum with one more byte in it (FNV-1a). */
export function addByte(sum: number, byte: number): number {
  return Math.imul(sum ^ byte, FNV_PRIME);
}

/** The sum with four more bytes in it. */
export function addWord(sum: number, word: number): number {
  const mixed = Math.imul(sum ^ word, GOLDEN);
  return mixed ^ (mixed >>> 15);
}

/** Like `addWord`, for sums that are independent of its sums. */
export function addOtherWord(sum: number, word: number): number {
  const mixed = Math.imul(sum ^ word, SPREAD);
  return mixed ^ (mixed >>> 15);
}

/** Moves the differences of sums into the high bits, which choose the slots of a table. */
export function toHighBits(sum: number): number {
  return Math.imul(sum, GOLDEN);
}

/** Spreads the bits of a finished sum of bytes over all bits. */
export function finish(sum: number): number {
  const half = Math.imul(sum ^ (sum >>> 16), SPREAD);
  return half ^ (half >>> 13);
}

/** A sum of eight bytes, given as two words. */
export function sumOfEight(low: number, high: number): number {
  const first = toHighBits(low);
  const sum = Math.imul(first ^ (first >>> 15) ^ high, SPREAD);
  return Math.imul(sum ^ (sum >>> 13), 0xc2b2ae35);
}
