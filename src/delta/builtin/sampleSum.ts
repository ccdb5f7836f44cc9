import { addByte, toHighBits } from '../mix.ts';
import type { EntryTable } from '../tar/entryTable.ts';
import type { Readable } from '../tar/positioned.ts';

const SAMPLE = 1024;

/** A 32-bit sum of an entry's size and of the bytes at both ends of its body. */
export function sampleSum(file: Readable, table: EntryTable, entry: number): number {
  const size = table.size[entry]!;
  const body = table.body[entry]!;
  let sum = toHighBits(size | 0) ^ Math.floor(size / 2 ** 32);
  const length = Math.min(SAMPLE, size);
  sum = sumOf(sum, file.view(body, length));
  return sumOf(sum, file.view(body + size - length, length)) >>> 0;
}

function sumOf(seed: number, bytes: Uint8Array): number {
  let sum = seed;
  for (const byte of bytes) sum = addByte(sum, byte);
  return sum ^ (sum >>> 15);
}
