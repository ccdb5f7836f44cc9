import fc from 'fast-check';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { entryAt } from '../../src/delta/tar/entryTable.ts';
import { PositionedFile } from '../../src/delta/tar/positioned.ts';
import { readEntryTable } from '../../src/delta/tar/readEntryTable.ts';
import { temporaryFolder } from '../helpers/temporary.ts';
import { runs } from './files.ts';
import { damaged } from './mutateBytes.ts';
import { mutate, mutations, tarEntries } from './tars.ts';

const FIXTURES = new URL('../../fixtures/tar/', import.meta.url);
const tars = readdirSync(FIXTURES)
  .filter((name) => name.endsWith('.tar'))
  .map((name) => readFileSync(new URL(name, FIXTURES)));

/** The checksum in a damaged header is mended, as otherwise no damage would get past it. */
function withChecksums(tar: Buffer): Buffer {
  const mended = Buffer.from(tar);
  for (let at = 0; at + 512 <= mended.length; at += 512) {
    const block = mended.subarray(at, at + 512);
    if (block.subarray(257, 262).toString('latin1') !== 'ustar') continue;
    block.fill(0x20, 148, 156);
    const sum = block.reduce((total, byte) => total + byte, 0);
    block.write(`${sum.toString(8).padStart(6, '0')}\0`, 148);
  }
  return mended;
}

function expectSoundTable(path: string, bytes: Buffer): void {
  writeFileSync(path, bytes);
  const file = new PositionedFile(path);
  try {
    const { count, start, body, size, ...rest } = readEntryTable(file);
    expect(count).toBeLessThanOrEqual(Math.ceil(bytes.length / 512));
    expect(start[count]).toBe(bytes.length);
    if (count > 0) expect(start[0]).toBe(0);
    for (let entry = 0; entry < count; entry++) {
      expect(body[entry]).toBeGreaterThanOrEqual(start[entry]!);
      expect(size[entry]).toBeGreaterThanOrEqual(0);
      expect(start[entry + 1]).toBeGreaterThan(start[entry]!);
      expect(body[entry]! + size[entry]!).toBeLessThanOrEqual(start[entry + 1]!);
      expect(entryAt({ count, start, body, size, ...rest }, start[entry]!)).toBe(entry);
    }
  } finally {
    file.close();
  }
}

test(
  'the entries of any file cover it without gaps, whatever its headers claim',
  { timeout: 3_600_000 },
  () => {
    const path = join(temporaryFolder(), 'tar');
    const random = fc.tuple(tarEntries, mutations).map(([entries, changes]) => mutate(entries, changes));
    const files = fc.oneof(damaged(tars, 600), damaged(tars, 2000).map(withChecksums), random);
    fc.assert(
      fc.property(files, (bytes) => expectSoundTable(path, bytes)),
      { numRuns: runs(600) },
    );
  },
);
