import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { addCopyOpcode, CODE_TABLE, copyAddOpcode, sizedCopyOpcode } from '../../src/vcdiff/codeTable.ts';
import { CopyList } from '../../src/vcdiff/copyList.ts';
import { Fields } from '../../src/vcdiff/decodeHeader.ts';
import { FILE_HEADER } from '../../src/vcdiff/format.ts';
import { partsInReach } from '../../src/vcdiff/reach.ts';
import { varints } from '../../src/vcdiff/varint.ts';
import { WindowWriter } from '../../src/vcdiff/writer.ts';
import { temporaryFolder } from '../helpers/temporary.ts';
import { requireTool } from '../helpers/tools.ts';

beforeAll(() => requireTool('xdelta3'));

/** What stock xdelta3 makes of `source` with the windows. */
function decoded(source: Uint8Array, windows: readonly Uint8Array[]): Buffer {
  const folder = temporaryFolder();
  const at = (name: string) => join(folder, name);
  writeFileSync(at('source'), source);
  writeFileSync(at('delta'), Buffer.concat([FILE_HEADER, ...windows]));
  execFileSync('xdelta3', ['-d', '-s', at('source'), at('delta'), at('out')]);
  return readFileSync(at('out'));
}

function copiesOf(...copies: [at: number, from: number, size: number][]): CopyList {
  const list = new CopyList();
  for (const copy of copies) list.add(...copy);
  return list;
}

const noise = (size: number, seed: number): Buffer =>
  Buffer.from(Array.from({ length: size }, (_, index) => (Math.imul(index + seed, 0x9e3779b1) >>> 13) & 255));

describe('varints', () => {
  const read = (bytes: readonly number[]): number =>
    new Fields(Uint8Array.from(bytes), 0, bytes.length, 'fields').number(Number.MAX_SAFE_INTEGER);

  test.each([
    [0, [0]],
    [127, [127]],
    [128, [129, 0]],
    [123456789, [0xba, 0xef, 0x9a, 0x15]],
    [2 ** 32, [0x90, 0x80, 0x80, 0x80, 0]],
    [Number.MAX_SAFE_INTEGER, [0x8f, 255, 255, 255, 255, 255, 255, 0x7f]],
  ])('%i is written and read in its shortest form', (value, bytes) => {
    expect([...varints(value)]).toEqual(bytes);
    expect(read(bytes)).toBe(value);
  });

  test.each([
    ['end too early', [0x81, 0x80]],
    ['end too early', []],
    ['a number above 9007199254740991', [0x90, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0]],
    ['not in its shortest form', [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0]],
  ])('are refused: %s', (problem, bytes) => {
    expect(() => read(bytes)).toThrow(problem);
  });
});

test('every opcode that the writer computes is that of the code table', () => {
  const entry = (opcode: number) => [...CODE_TABLE.subarray(opcode * 6, opcode * 6 + 6)];
  expect(CODE_TABLE.length).toBe(256 * 6);
  for (let mode = 0; mode < 9; mode++) {
    for (let size = 4; size <= 18; size++)
      expect(entry(sizedCopyOpcode(size, mode))).toEqual([3, size, mode, 0, 0, 0]);
    expect(entry(sizedCopyOpcode(19, mode))).toEqual([3, 0, mode, 0, 0, 0]);
    expect(entry(copyAddOpcode(4, mode, 1))).toEqual([3, 4, mode, 1, 1, 0]);
    for (let added = 1; added <= 5; added++) {
      for (let size = 3; size <= 7; size++) {
        const opcode = addCopyOpcode(added, size, mode);
        if (opcode !== 0) expect(entry(opcode)).toEqual([1, added, 0, 3, size, mode]);
      }
    }
  }
});

describe('windows', () => {
  const source = noise(5000, 1);
  test.each<[string, CopyList, (target: Buffer) => Buffer]>([
    ['nothing', copiesOf(), () => Buffer.alloc(0)],
    ['literals only', copiesOf(), () => noise(300, 9)],
    ['one run', copiesOf(), () => Buffer.alloc(1000, 7)],
    [
      'runs among literals',
      copiesOf(),
      () =>
        Buffer.concat([noise(9, 3), Buffer.alloc(64), noise(1, 4), Buffer.alloc(63), Buffer.alloc(70, 1)]),
    ],
    ['the source', copiesOf([0, 0, 5000]), () => source],
    ['its end', copiesOf([0, 4990, 10]), () => source.subarray(4990)],
  ])('of %s decode to the target', (_name, copies, make) => {
    const target = make(source);
    expect(decoded(source, [new WindowWriter().encode(target, copies)])).toEqual(target);
  });

  test('with copies and literals of every size decode to the target', () => {
    const copies = new CopyList();
    const parts: Buffer[] = [];
    let at = 0;
    for (let size = 1; size <= 40; size++) {
      for (const literal of [0, 1, 2, 3, 4, 5, 17, 18]) {
        const from = (size * 97 + literal * 31) % 4000;
        parts.push(noise(literal, size), source.subarray(from, from + size));
        copies.add(at + literal, from, size);
        at += literal + size;
      }
    }
    const target = Buffer.concat(parts);
    const writer = new WindowWriter();
    const window = writer.encode(target, copies);
    expect(decoded(source, [window])).toEqual(target);
    expect(writer.encode(target, copies), 'a writer can be used again').toEqual(window);
  });
});

test('copies that meet at both ends become one', () => {
  const list = copiesOf([0, 10, 5], [5, 15, 5], [10, 30, 5], [16, 36, 1]);
  expect([list.count, ...list.size.subarray(0, 3)]).toEqual([3, 10, 5, 1]);
});

describe('a target is cut where its copies are too far apart for one window', () => {
  const cuts = (copies: CopyList) =>
    partsInReach(copies, 100, 1000).map(({ start, end, copies: part }) => [
      start,
      end,
      ...part.at.subarray(0, part.count),
    ]);
  test.each([
    ['no copies', copiesOf(), [[0, 100]]],
    ['near ones', copiesOf([0, 5000, 10], [20, 5990, 10]), [[0, 100, 0, 20]]],
    [
      'far ones',
      copiesOf([5, 0, 10], [20, 990, 20], [50, 20, 10]),
      [
        [0, 20, 5],
        [20, 100, 0, 30],
      ],
    ],
  ])('%s', (_name, copies, expected) => expect(cuts(copies)).toEqual(expected));
});
