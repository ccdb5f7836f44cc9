import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { identityDelta } from '../../src/vcdiff/identity.ts';
import { temporaryFolder } from '../helpers/temporary.ts';
import { requireTool } from '../helpers/tools.ts';

beforeAll(() => requireTool('xdelta3'));

test.each([0, 1, 3, 4, 18, 19, 65536, (8 << 20) - 1, 8 << 20, (8 << 20) + 1, 20_000_000])(
  'stock xdelta3 turns %i bytes into themselves',
  (size) => {
    const folder = temporaryFolder();
    const source = join(folder, 'source');
    writeFileSync(source, Buffer.alloc(size, 'some bytes '));
    writeFileSync(join(folder, 'delta'), identityDelta(size));
    execFileSync('xdelta3', ['-d', '-s', source, join(folder, 'delta'), join(folder, 'out')]);
    expect(readFileSync(join(folder, 'out')).equals(readFileSync(source))).toBe(true);
  },
);

test('341 MB take less than 1 KB, and 5 TB are no problem', () => {
  expect(identityDelta(341_000_000).length).toBeLessThan(1024);
  expect(identityDelta(5e12).length).toBeLessThan(20_000_000);
});
