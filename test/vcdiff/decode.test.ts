import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { IntegrityError, UnsupportedError } from '../../src/errors.ts';
import { identityDelta } from '../../src/vcdiff/identity.ts';
import { contentOf } from '../delta/tars.ts';
import { temporaryFolder } from '../helpers/temporary.ts';
import { requireTool } from '../helpers/tools.ts';
import { HEADER, type WindowParts, windowOf } from './decodeBuilder.ts';
import { decode } from './decoding.ts';

const text = (content: string): Uint8Array => Buffer.from(content);
const SOURCE = text('abcdefghij');

describe('the files that xdelta3 writes', () => {
  beforeAll(() => requireTool('xdelta3'));

  const old = Buffer.concat([
    contentOf({ kind: 'text', seed: 1, size: 60_000 }),
    contentOf({ kind: 'noise', seed: 2, size: 90_000 }),
  ]);
  const fresh = Buffer.concat([
    old.subarray(70_000, 120_000),
    Buffer.alloc(5000),
    old.subarray(100, 40_000),
    contentOf({ kind: 'repeats', seed: 3, size: 30_000 }),
    old.subarray(20_000, 20_017),
    contentOf({ kind: 'text', seed: 4, size: 9000 }),
  ]);

  test.each([
    ['as it is called by default but for compression', []],
    ['at its fastest', ['-1']],
    ['at its best', ['-9']],
    ['without application header', ['-A']],
    ['without checksums', ['-n']],
    ['with an application header of 200 bytes', [`-A=${'x'.repeat(200)}`]],
    ['in many windows', ['-W', '16384']],
    ['without matching', ['-0']],
    ['without small instructions', ['-I', '0', '-P', '16777216']],
  ])('are read: %s', async (_name, flags) => {
    const folder = temporaryFolder();
    const [source, target, delta] = ['old', 'new', 'delta'].map((name) => join(folder, name));
    writeFileSync(source!, old);
    writeFileSync(target!, fresh);
    execFileSync('xdelta3', ['-e', '-S', 'none', ...flags, '-s', source!, target!, delta!]);
    for (const size of [1, 7, 1000, 1 << 20]) {
      expect((await decode(readFileSync(delta!), old, size)).equals(fresh)).toBe(true);
    }
  });

  test('are refused with secondary compression, and the error says what to do', async () => {
    const folder = temporaryFolder();
    const target = join(folder, 'new');
    writeFileSync(target, fresh);
    const delta = execFileSync('xdelta3', ['-e', '-S', 'djw', '-c', target], { maxBuffer: 1 << 24 });
    const decoding = decode(delta);
    await expect(decoding).rejects.toBeInstanceOf(UnsupportedError);
    await expect(decoding).rejects.toMatchObject({ hint: expect.stringContaining('-S none') as string });
  });
});

test.each([0, 1, 3, 4, 18, 19, 100_000, (8 << 20) + 5])(
  'an identity delta of %i bytes is read',
  async (size) => {
    const source = contentOf({ kind: 'repeats', seed: size, size });
    expect((await decode(identityDelta(size), source)).equals(source)).toBe(true);
  },
);

describe('every kind of instruction', () => {
  const read: [string, WindowParts, string][] = [
    ['an empty window', { targetLength: 0 }, ''],
    ['ADD whose size follows', { targetLength: 3, data: text('xyz'), instructions: [1, 3] }, 'xyz'],
    ['ADD of a size in its opcode', { targetLength: 3, data: text('xyz'), instructions: [4] }, 'xyz'],
    ['RUN', { targetLength: 5, data: text('x'), instructions: [0, 5] }, 'xxxxx'],
    ['COPY at an address', { source: [10, 0], targetLength: 4, instructions: [20], addresses: [3] }, 'defg'],
    [
      'a segment at an offset',
      { source: [4, 6], targetLength: 4, instructions: [20], addresses: [0] },
      'ghij',
    ],
    [
      'COPY counted from here',
      { source: [10, 0], targetLength: 4, instructions: [36], addresses: [4] },
      'ghij',
    ],
    [
      'COPY near the last but none',
      { source: [10, 0], targetLength: 8, instructions: [20, 52], addresses: [1, 2] },
      'bcdedefg',
    ],
    [
      'COPY of the same address',
      { source: [10, 0], targetLength: 8, instructions: [20, 116], addresses: [5, 5] },
      'fghifghi',
    ],
    [
      'COPY of its own output',
      { targetLength: 8, data: text('ab'), instructions: [3, 19, 6], addresses: [0] },
      'abababab',
    ],
    [
      'a pair ADD and COPY',
      { source: [10, 0], targetLength: 5, data: text('x'), instructions: [163], addresses: [0] },
      'xabcd',
    ],
    [
      'a pair COPY and ADD',
      { source: [10, 0], targetLength: 5, data: text('x'), instructions: [247], addresses: [0] },
      'abcdx',
    ],
  ];
  test.each(read)('%s', async (_name, parts, expected) => {
    const target = text(expected);
    const delta = Buffer.concat([HEADER, windowOf({ ...parts, checksumOf: target })]);
    expect((await decode(delta, SOURCE)).toString()).toBe(expected);
  });
});

describe('what is refused', () => {
  const add = { targetLength: 3, data: text('xyz'), instructions: [4] };
  const copy = { source: [10, 0], targetLength: 4, instructions: [20], addresses: [0] } satisfies WindowParts;
  const windows: [string, WindowParts][] = [
    ['a wrong checksum', { ...add, checksumOf: text('xyy') }],
    ['more output than announced', { ...add, targetLength: 2 }],
    ['less output than announced', { ...add, targetLength: 4 }],
    ['a window above 64 MiB', { ...add, targetLength: (64 << 20) + 1 }],
    ['more data than output', { ...add, data: text('xyzz') }],
    ['data that is left over', { targetLength: 4, data: text('xyz'), instructions: [0, 4] }],
    ['data that is missing', { ...add, data: text('xy') }],
    ['an address that is left over', { ...copy, addresses: [0, 0] }],
    ['an address that is missing', { ...copy, addresses: [] }],
    ['an address that has not been written', { ...copy, addresses: [10] }],
    ['an address before the start', { ...copy, instructions: [36], addresses: [11] }],
    ['an address of more than 32 bits', { ...copy, addresses: [0xff, 0xff, 0xff, 0xff, 0x7f] }],
    ['an address not in its shortest form', { ...copy, addresses: [0x80, 0] }],
    ['a copy that leaves the segment', { ...copy, addresses: [7] }],
    ['a segment that leaves the source', { ...copy, source: [4, 8] }],
    ['a segment far behind the source', { ...copy, source: [4, 2 ** 52] }],
    ['an offset above 2^53', { ...copy, source: [4, 2 ** 53 - 1] }],
    ['addresses above 32 bits', { ...copy, source: [2 ** 32 - 4, 0] }],
    ['a size that is cut off', { targetLength: 300, data: text('x'), instructions: [0, 0x82] }],
    ['a huge size', { targetLength: 3, data: text('x'), instructions: [0, 0x8f, 0xff, 0xff, 0xff, 0x7f] }],
    ['a wrong encoding length', { ...add, encodingLength: 11 }],
    ['sections that contradict it', { ...add, lengths: [3, 2, 0] }],
    [
      'sections that are longer than the file',
      { ...add, encodingLength: 3_000_009, lengths: [3, 3_000_000, 0] },
    ],
    ['a compressed section', { ...add, deltaIndicator: 1 }],
    ['an unknown window', { ...add, indicator: 8 }],
    ['instructions without output', { targetLength: 0, data: [], instructions: new Uint8Array(100).fill(1) }],
  ];
  test.each(windows)('%s', async (_name, parts) => {
    await expect(decode(Buffer.concat([HEADER, windowOf(parts)]), SOURCE)).rejects.toBeInstanceOf(
      IntegrityError,
    );
  });

  test('a window on the target', async () => {
    const delta = Buffer.concat([HEADER, windowOf({ ...copy, indicator: 2 })]);
    await expect(decode(delta, SOURCE)).rejects.toBeInstanceOf(UnsupportedError);
  });

  test.each([
    ['nothing', '', IntegrityError],
    ['another magic', 'd6c3c50000', IntegrityError],
    ['a later version', 'd6c3c40100', IntegrityError],
    ['a header alone', 'd6c3c40000', IntegrityError],
    ['half a header', 'd6c3c4', IntegrityError],
    ['unknown indicator bits', 'd6c3c40008', IntegrityError],
    ['a code table', 'd6c3c4000205', UnsupportedError],
    ['an application header of 4 GiB', 'd6c3c400048fffffff7f00', IntegrityError],
    ['an application header that is cut off', 'd6c3c4000405616263', IntegrityError],
    ['half a window', 'd6c3c40000010a', IntegrityError],
  ])('%s', async (_name, hex, error) => {
    await expect(decode(Buffer.from(hex, 'hex'), SOURCE)).rejects.toBeInstanceOf(error);
  });

  test('more output than the caller wants, before it is made', async () => {
    const delta = Buffer.concat([HEADER, windowOf(add), windowOf(add)]);
    expect((await decode(delta, SOURCE, 100, 6)).toString()).toBe('xyzxyz');
    await expect(decode(delta, SOURCE, 100, 5)).rejects.toThrow(/more than 5 bytes/);
  });

  test('bytes behind the last window', async () => {
    const delta = Buffer.concat([HEADER, windowOf(add), Buffer.from([5])]);
    await expect(decode(delta)).rejects.toBeInstanceOf(IntegrityError);
  });

  test('a delta that is cut off anywhere but between windows', async () => {
    const window = windowOf({ ...copy, checksumOf: text('abcd') });
    const delta = Buffer.concat([HEADER, window, window]);
    const whole = [HEADER.length + window.length, delta.length];
    for (let length = 0; length <= delta.length; length++) {
      const decoding = decode(delta.subarray(0, length), SOURCE);
      if (whole.includes(length)) await expect(decoding).resolves.toBeInstanceOf(Buffer);
      else await expect(decoding).rejects.toBeInstanceOf(IntegrityError);
    }
  });
});
