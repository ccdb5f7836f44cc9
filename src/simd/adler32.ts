import { i16x8, i32, i32x4, kernel, loopWhile, v128, variable, words } from './wasm.ts';
import type { Code, Kernel } from './wasm.ts';

const BASE = 65521;
/** Bytes that are summed at once: few enough for sums of 32 bits and for the first-level cache. */
const BLOCK = 16 << 10;
const LANES = 16;

let sums: Kernel | undefined;

/** The Adler-32 checksum of `bytes`. https://www.rfc-editor.org/rfc/rfc1950 */
export function adler32(bytes: Uint8Array): number {
  let low = 1;
  let high = 0;
  const whole = bytes.length - (bytes.length % LANES);
  for (let start = 0; start < whole; start += BLOCK) {
    const end = Math.min(start + BLOCK, whole);
    const { sum, weighted } = sumsOf(bytes.subarray(start, end));
    high = (high + low * (end - start) + weighted) % BASE;
    low = (low + sum) % BASE;
  }
  for (let at = whole; at < bytes.length; at++) {
    low = (low + bytes[at]!) % BASE;
    high = (high + low) % BASE;
  }
  return ((high << 16) | low) >>> 0;
}

/** The sum of the bytes, and the sum of each byte times the number of bytes from it to the end. */
function sumsOf(bytes: Uint8Array): { sum: number; weighted: number } {
  sums ??= kernel(1, 1, 4, sumBlock());
  sums.memory.set(bytes);
  sums.run(bytes.length);
  const lanes = new Uint32Array(sums.memory.buffer, BLOCK, 12);
  const total = (from: number) => lanes[from]! + lanes[from + 1]! + lanes[from + 2]! + lanes[from + 3]!;
  return { sum: total(0), weighted: LANES * total(4) + total(8) };
}

/**
 * Sums the memory from 0 to the argument, sixteen bytes at a time, into three vectors after the
 * block: the bytes, the bytes before each group of sixteen, and the bytes times their place in
 * their group, counted from its end.
 */
function sumBlock(): Code {
  const [end, at] = [variable(0), variable(1)];
  const [bytes, sum, before, inside] = [variable(2), variable(3), variable(4), variable(5)];
  const low = v128.const(words(16, 15, 14, 13, 12, 11, 10, 9));
  const high = v128.const(words(8, 7, 6, 5, 4, 3, 2, 1));
  return [
    ...loopWhile(i32.lessThan(at.get, end.get), [
      ...bytes.set(v128.load(at.get)),
      ...before.set(i32x4.add(before.get, sum.get)),
      ...sum.set(i32x4.add(sum.get, i32x4.addPairs(i16x8.addPairs(bytes.get)))),
      ...inside.set(i32x4.add(inside.get, i32x4.dot(i16x8.extendLow(bytes.get), low))),
      ...inside.set(i32x4.add(inside.get, i32x4.dot(i16x8.extendHigh(bytes.get), high))),
      ...at.set(i32.add(at.get, i32.const(LANES))),
    ]),
    ...v128.store(i32.const(BLOCK), sum.get),
    ...v128.store(i32.const(BLOCK), before.get, 16),
    ...v128.store(i32.const(BLOCK), inside.get, 32),
    ...i32.const(0),
  ];
}
