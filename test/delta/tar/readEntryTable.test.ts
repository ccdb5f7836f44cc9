import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import type { EntryTable } from '../../../src/delta/tar/entryTable.ts';
import { entryAt } from '../../../src/delta/tar/entryTable.ts';
import { pathSums } from '../../../src/delta/tar/pathSums.ts';
import { PositionedFile } from '../../../src/delta/tar/positioned.ts';
import { readEntryTable } from '../../../src/delta/tar/readEntryTable.ts';
import { temporaryFolder } from '../../helpers/temporary.ts';
import { requireTool } from '../../helpers/tools.ts';

beforeAll(() => requireTool('tar'));

const sumOf = (path: string): number => pathSums(Buffer.from(path)).name;
const REST = sumOf('');

function scanned(bytes: Uint8Array | { path: string }): EntryTable {
  const path = 'path' in bytes ? bytes.path : join(temporaryFolder(), 'layer.tar');
  if (!('path' in bytes)) writeFileSync(path, bytes);
  const file = new PositionedFile(path);
  try {
    return readEntryTable(file);
  } finally {
    file.close();
  }
}

/** [start, body, size] of every entry. */
function entriesOf(table: EntryTable): number[][] {
  return Array.from({ length: table.count }, (_, index) => [
    table.start[index]!,
    table.body[index]!,
    table.size[index]!,
  ]);
}

interface Fields {
  type?: string;
  size?: number | Buffer;
  magic?: string;
  extended?: boolean;
}

function header(
  name: string,
  { type = '0', size = 0, magic = 'ustar\x0000', extended = false }: Fields = {},
): Buffer {
  const block = Buffer.alloc(512);
  block.write(name, 0);
  if (typeof size === 'number') block.write(size.toString(8).padStart(11, '0'), 124);
  else size.copy(block, 124);
  block.write(`        ${type}`, 148);
  block.write(magic, 257);
  if (extended) block[482] = 1;
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return block;
}

const body = (text: string): Buffer =>
  Buffer.concat([Buffer.from(text), Buffer.alloc((512 - (text.length % 512)) % 512)]);
const pax = (...records: string[]): Buffer => {
  const text = records.map((record) => `${record.length + 4} ${record}\n`).join('');
  return Buffer.concat([header('pax', { type: 'x', size: text.length }), body(text)]);
};
const base256 = (size: bigint): Buffer => {
  const field = Buffer.alloc(12);
  field.writeBigUInt64BE(size, 4);
  field[0]! |= 128;
  return field;
};
const END = Buffer.alloc(1024);

describe('entries', () => {
  test.each<[string, Buffer[], number[][], string[]]>([
    [
      'a file',
      [header('a', { size: 3 }), body('abc'), END],
      [
        [0, 512, 3],
        [1024, 1024, 1024],
      ],
      ['a', ''],
    ],
    ['an empty archive', [END], [[0, 0, 1024]], ['']],
    ['nothing', [], [], []],
    [
      'a GNU long name',
      [header('././@LongLink', { type: 'L', size: 4 }), body('long'), header('l', { size: 1 }), body('x')],
      [[0, 1536, 1]],
      ['long'],
    ],
    [
      'a pax path and size',
      [pax('path=pax/path', 'size=600'), header('p', { size: 0 }), Buffer.alloc(1024, 1)],
      [[0, 1536, 600]],
      ['pax/path'],
    ],
    [
      'a pax sparse name',
      [pax('GNU.sparse.name=real'), header('GNUSparseFile.0/real', { size: 2 }), body('xy')],
      [[0, 1536, 2]],
      ['real'],
    ],
    [
      'a GNU sparse file with two more maps',
      [
        header('s', { type: 'S', size: 5, magic: 'ustar  \0', extended: true }),
        Buffer.alloc(512).fill(1, 504, 505),
        Buffer.alloc(512),
        body('12345'),
      ],
      [[0, 1536, 5]],
      ['s'],
    ],
    [
      'a base-256 size',
      [header('big', { size: base256(600n) }), Buffer.alloc(1024, 1), END],
      [
        [0, 512, 600],
        [1536, 1536, 1024],
      ],
      ['big', ''],
    ],
    [
      'a base-256 size of 9 PB',
      [header('big', { size: base256(2n ** 53n - 1n) }), Buffer.alloc(512, 1)],
      [[0, 512, 512]],
      ['big'],
    ],
    ['a size above 2^53', [header('big', { size: base256(2n ** 60n) })], [[0, 0, 512]], ['']],
    ['a lying size', [header('liar', { size: 9999 }), body('abc')], [[0, 512, 512]], ['liar']],
    [
      'a hard link whose size is of no body',
      [header('h', { type: '1', size: 700 }), header('a', { size: 1 }), body('x')],
      [
        [0, 512, 0],
        [512, 1024, 1],
      ],
      ['h', 'a'],
    ],
    [
      'a hard link with a body',
      [header('h', { type: '1', size: 3 }), body('abc'), END],
      [
        [0, 512, 3],
        [1024, 1024, 1024],
      ],
      ['h', ''],
    ],
    [
      'a folder with a size',
      [header('d/', { type: '5', size: 4096 }), header('a')],
      [
        [0, 512, 0],
        [512, 1024, 0],
      ],
      ['d/', 'a'],
    ],
    [
      'garbage after an entry',
      [header('a'), Buffer.alloc(700, 5)],
      [
        [0, 512, 0],
        [512, 512, 700],
      ],
      ['a', ''],
    ],
    [
      'a header that is cut off',
      [header('a'), header('b').subarray(0, 300)],
      [
        [0, 512, 0],
        [512, 512, 300],
      ],
      ['a', ''],
    ],
    [
      'an extension without entry',
      [header('x', { type: 'x', size: 10 }), body('10 path=a\n')],
      [[0, 0, 1024]],
      [''],
    ],
    [
      'an extension of 8 GB',
      [header('x', { type: 'L', size: 2 ** 33 - 1 }), body('name')],
      [[0, 0, 1024]],
      [''],
    ],
    [
      'malformed pax records',
      [pax('nonsense', 'size=12x4'), header('p', { size: 1 }), body('x')],
      [[0, 1536, 1]],
      ['p'],
    ],
    [
      'two archives in a row',
      [header('a'), END, header('b')],
      [
        [0, 512, 0],
        [512, 512, 1536],
      ],
      ['a', ''],
    ],
  ])('of %s', (_name, blocks, entries, paths) => {
    const bytes = Buffer.concat(blocks);
    const table = scanned(bytes);
    expect(entriesOf(table)).toEqual(entries);
    expect([...table.name.subarray(0, table.count)]).toEqual(
      paths.map((path) => (path === '' ? REST : sumOf(path))),
    );
    expect(table.start[table.count]).toBe(bytes.length);
  });

  test('a header whose checksum sums signed bytes', () => {
    const block = header('caf\u00e9');
    const signed = block.fill(' ', 148, 156).reduce((total, byte) => total + ((byte << 24) >> 24), 0);
    block.write(`${signed.toString(8).padStart(6, '0')}\0 `, 148);
    expect(entriesOf(scanned(block))).toEqual([[0, 512, 0]]);
  });

  test('a size that only the file system holds', () => {
    const path = join(temporaryFolder(), 'large.tar');
    writeFileSync(path, header('large', { size: base256(6n * 2n ** 30n) }));
    truncateSync(path, 512 + 6 * 2 ** 30);
    expect(entriesOf(scanned({ path }))).toEqual([[0, 512, 6 * 2 ** 30]]);
  });
});

test.each(['ustar', 'gnu', 'pax', 'v7', 'oldgnu'])('the archives of GNU tar in its format %s', (format) => {
  const folder = temporaryFolder();
  const name = format === 'v7' ? 'short' : `${'a long folder name/'.repeat(6)}file`;
  mkdirSync(join(folder, 'in', name, '..'), { recursive: true });
  writeFileSync(join(folder, 'in', name), 'x'.repeat(5000));
  writeFileSync(join(folder, 'in', 'sparse'), 'y');
  truncateSync(join(folder, 'in', 'sparse'), 1 << 20);
  const path = join(folder, 'out.tar');
  const sparse = format === 'ustar' || format === 'v7' ? [] : ['-S'];
  execFileSync('tar', [
    `--format=${format}`,
    ...sparse,
    '-C',
    join(folder, 'in'),
    '-cf',
    path,
    name,
    'sparse',
  ]);
  const table = scanned({ path });
  expect([...table.name.subarray(0, table.count)]).toEqual([sumOf(name), sumOf('sparse'), REST]);
  expect(table.size[0]).toBe(5000);
  expect(
    readFileSync(path)
      .subarray(table.body[0], table.body[0]! + 5000)
      .toString(),
  ).toBe('x'.repeat(5000));
});

test('a hundred thousand entries are found, and found again by position', () => {
  const count = 100_000;
  const block = header('same');
  const table = scanned(Buffer.concat(Array.from({ length: count }, () => block)));
  expect(table.count).toBe(count);
  for (const index of [0, 1, 4321, count - 1]) {
    expect(entryAt(table, index * 512)).toBe(index);
    expect(entryAt(table, index * 512 + 511)).toBe(index);
  }
});

test.each([
  ['lib/libssl.so.1.1', 'lib/libssl.so.3.0.12', true],
  ['node-20.18.0/bin/node', 'node-20.18.1/bin/node', true],
  ['a/index.js', 'b/index.js', false],
])('%s and %s are kin: %s', (one, other, kin) => {
  const [first, second] = [pathSums(Buffer.from(one)), pathSums(Buffer.from(other))];
  expect(first.unversioned === second.unversioned).toBe(kin);
  expect(first.lastPart).toBe(second.lastPart);
  expect(first.name).not.toBe(second.name);
});
