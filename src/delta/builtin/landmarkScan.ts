import {
  i16x8,
  i32,
  i8x16,
  kernel,
  loopWhile,
  v128,
  variable,
  words,
  type Code,
  type Kernel,
} from '../../simd/wasm.ts';

/** One in 2^FEWEST_BITS positions is a candidate. */
export const FEWEST_BITS = 7;
/** Bytes of a landmark. */
export const LANDMARK_SIZE = 32;
/** Positions that are scanned at once. */
export const STRIDE: number = 16 << 10;

/** The first bytes of a landmark, which choose candidates. */
const CHOOSING = 8;
const LANES = 16;
const FOUND_AT = STRIDE + LANDMARK_SIZE;
const FACTORS = [0x9e37, 0x85eb, 0xc2b3, 0x27d5];
/**
 * The top bits of a sum, and their value at a candidate. The value is not zero, which zero bytes
 * would have everywhere.
 */
const CHOSEN_BITS = 0xfe00;
const CHOSEN = 0x5a00;

let scan: Kernel | undefined;
let found: Uint32Array = new Uint32Array();

/** Positions that `findCandidates` found. */
export const candidates = new Int32Array(STRIDE);

/**
 * Stores every position of [start, start + length) whose first bytes make it a candidate in
 * `candidates`, and returns their number. `length` is at most STRIDE, and LANDMARK_SIZE bytes must
 * follow each position.
 */
export function findCandidates(bytes: Uint8Array, start: number, length: number): number {
  if (scan === undefined) {
    scan = kernel(1, 3, 0, scanBlock());
    found = new Uint32Array(scan.memory.buffer, FOUND_AT);
  }
  scan.memory.set(bytes.subarray(start, start + length + CHOOSING - 1));
  const groups = (scan.run(length) - FOUND_AT) / 4;
  let count = 0;
  for (let index = 0; index < groups; index++) {
    const group = start + (found[index]! >>> 16);
    for (let bits = found[index]! & 0xffff; bits !== 0; bits &= bits - 1) {
      const bit = 31 - Math.clz32(bits & -bits);
      const at = group + ((bit & 7) << 1) + (bit >> 3);
      if (at < start + length) candidates[count++] = at;
    }
  }
  return count;
}

/**
 * Scans [0, argument) of the memory, sixteen positions at a time. For each group with candidates it
 * stores the position and a bit per candidate from FOUND_AT on, first for the eight even positions,
 * then for the eight odd ones. Returns the end of what it stored.
 */
function scanBlock(): Code {
  const [end, at, next, mask] = [variable(0), variable(1), variable(2), variable(3)];
  const ofWords = (offset: number) =>
    FACTORS.map((factor, index) =>
      i16x8.multiply(v128.load(at.get, offset + 2 * index), v128.const(words(...eight(factor)))),
    ).reduce((sum, next) => v128.xor(sum, next));
  const chosen = (offset: number) =>
    i16x8.equal(
      v128.and(ofWords(offset), v128.const(words(...eight(CHOSEN_BITS)))),
      v128.const(words(...eight(CHOSEN))),
    );
  return [
    ...next.set(i32.const(FOUND_AT)),
    ...loopWhile(i32.lessThan(at.get, end.get), [
      ...mask.set(i8x16.bitmask(i8x16.narrow(chosen(0), chosen(1)))),
      ...i32.store(next.get, i32.or(i32.shl(at.get, i32.const(16)), mask.get)),
      ...next.set(i32.add(next.get, i32.shl(i32.isNotZero(mask.get), i32.const(2)))),
      ...at.set(i32.add(at.get, i32.const(LANES))),
    ]),
    ...next.get,
  ];
}

function eight(value: number): number[] {
  return Array.from({ length: 8 }, () => value);
}
