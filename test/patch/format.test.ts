import { expect, test } from 'vitest';
import { IntegrityError, UnsupportedError } from '../../src/errors.ts';
import { digestOf } from '../../src/oci/digest.ts';
import { memoryOf, parsePatchHeader, writeHeader, type PatchHeader } from '../../src/patch/format.ts';

const content = (size: number): PatchHeader['target'] => ({ digest: digestOf(Buffer.of(size % 256)), size });
const header: PatchHeader = { tableBits: 18, ringBits: 20, target: content(5), sources: [content(7)] };

test.each([
  ['one source', header],
  ['256 sources', { ...header, sources: Array.from({ length: 256 }, (_, size) => content(size)) }],
  ['an empty target', { ...header, target: content(0) }],
  ['the largest target', { ...header, target: content(2 ** 48) }],
  ['the least memory', { ...header, tableBits: 16, ringBits: 16 }],
  ['the most memory', { ...header, tableBits: 23, ringBits: 24 }],
])('a header with %s is read as it was written', (_name, written) => {
  const bytes = writeHeader(written);
  expect(parsePatchHeader(Buffer.concat([bytes, Buffer.from('more')]))).toEqual({
    header: written,
    length: bytes.length,
  });
});

test('a header is written only with 1 to 256 sources', () => {
  expect(() => writeHeader({ ...header, sources: [] })).toThrow(RangeError);
  expect(() => writeHeader({ ...header, sources: new Array(257).fill(content(1)) })).toThrow(RangeError);
});

const good = writeHeader(header);
const changed = (at: number, ...bytes: number[]): Buffer => {
  const copy = Buffer.from(good);
  copy.set(bytes, at);
  return copy;
};

test.each([
  ['nothing', Buffer.alloc(0), 'it is not a patch'],
  ['another file', changed(0, 0x1f, 0x8b), 'it is not a patch'],
  ['too many counters', changed(8, 24), 'its header is out of bounds'],
  ['too few counters', changed(8, 15), 'its header is out of bounds'],
  ['a ring that is too large', changed(9, 25), 'its header is out of bounds'],
  ['a ring that is too small', changed(9, 0), 'its header is out of bounds'],
  ['no sources', changed(10, 0, 0), 'its header is out of bounds'],
  ['too many sources', changed(10, 1, 1), 'its header is out of bounds'],
  ['sources that are missing', changed(10, 2, 0), 'it ends early'],
  ['a target that is too large', changed(12 + 32, 1, 0, 0, 0, 0, 0, 1), 'a size is too large'],
  ['a source that is too large', changed(52 + 32, 0, 0, 0, 0, 0, 0, 0, 1), 'a size is too large'],
  ['half a header', good.subarray(0, 60), 'it ends early'],
])('a header with %s is refused', (_name, bytes, reason) => {
  expect(() => parsePatchHeader(bytes)).toThrow(new IntegrityError(`reading a patch: ${reason}`));
});

test('another version is not supported', () => {
  expect(() => parsePatchHeader(changed(7, 2))).toThrow(UnsupportedError);
});

test.each([
  [16, 16, (2 << 20) + 6 * 65_536 + 65_536],
  // docs/devices.md and docs/patch-format.md name the most that this tool's patches take.
  [22, 23, 34 << 20],
  [23, 24, (2 << 20) + 6 * 8_388_608 + 16_777_216],
])(
  'a decoder with 2^%i counters and 2^%i bytes of the residue takes %i bytes',
  (tableBits, ringBits, bytes) => {
    expect(memoryOf({ tableBits, ringBits })).toBe(bytes);
  },
);
