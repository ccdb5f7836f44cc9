import { describe, expect, it } from 'vitest';
import { packingOf, toolCompressionOf } from '../../../src/mender/write/packing.ts';

const MIB = 1 << 20;

describe('packingOf', () => {
  it.each([
    ['auto', 0, { compression: 'lzma', level: 6, reach: 9 }],
    ['auto', 64 * MIB, { compression: 'lzma', level: 6, reach: 9 }],
    ['auto', 64 * MIB + 1, { compression: 'lzma', level: 2, reach: 9 }],
    ['auto', 256 * MIB, { compression: 'lzma', level: 2, reach: 9 }],
    ['auto', 256 * MIB + 1, { compression: 'gzip', level: 5 }],
    ['auto', 2 ** 40, { compression: 'gzip', level: 5 }],
    ['lzma', 256 * MIB, { compression: 'lzma', level: 6, reach: 9 }],
    ['lzma', 256 * MIB + 1, { compression: 'lzma', level: 2, reach: 9 }],
    ['lzma', 1024 * MIB + 1, { compression: 'lzma', level: 0, reach: 9 }],
    ['gzip', 1, { compression: 'gzip', level: 6 }],
    ['none', 1, { compression: 'none' }],
    ['zstd', 1, { compression: 'zstd', level: 19 }],
    ['zstd', 65 * MIB, { compression: 'zstd', level: 10 }],
  ] as const)('packs %s of %d bytes', (choice, size, expected) => {
    const known = expected.compression === 'lzma' ? { size } : {};
    expect(packingOf(choice, size, 9)).toEqual({ ...expected, ...known });
  });
});

describe('toolCompressionOf', () => {
  it.each([
    ['auto', 64 * MIB, 'lzma'],
    ['auto', 64 * MIB + 1, 'gzip'],
    ['lzma', 2 ** 40, 'lzma'],
    ['zstd', 1, 'zstd'],
    ['none', 1, 'none'],
  ] as const)('takes for %s of %d bytes %s', (choice, size, expected) => {
    expect(toolCompressionOf(choice, size)).toBe(expected);
  });
});
