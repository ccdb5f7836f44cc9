import { deflateSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { adler32 } from '../../src/simd/adler32.ts';
import { contentOf } from '../delta/tars.ts';

/** What zlib appends to a stream. */
function expected(bytes: Uint8Array): number {
  const stream = deflateSync(bytes, { level: 0 });
  return stream.readUInt32BE(stream.length - 4);
}

test.each([0, 1, 3, 4, 5, 4095, 4096, 4097, 8191, 70_001, 1 << 20])('is the checksum of %i bytes', (size) => {
  const noise = contentOf({ kind: 'noise', seed: size, size: size + 3 });
  for (const offset of [0, 1, 2, 3]) {
    const bytes = noise.subarray(offset, offset + size);
    expect(adler32(bytes)).toBe(expected(bytes));
  }
  expect(adler32(new Uint8Array(size).fill(255))).toBe(expected(new Uint8Array(size).fill(255)));
});
