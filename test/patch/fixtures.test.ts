import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { decoded, decodedByProgram } from '../delta/patch/patches.ts';

const FIXTURES = join(import.meta.dirname, '../../fixtures/patch');
const SOURCE = join(FIXTURES, 'source.bin');
const names = readdirSync(FIXTURES).filter((name) => name.endsWith('.patch'));

test.each(names)('both decoders read %s, which an earlier version wrote', async (name) => {
  const patch = readFileSync(join(FIXTURES, name));
  const target = readFileSync(join(FIXTURES, name.replace('.patch', '.bin')));
  expect((await decoded(patch, [readFileSync(SOURCE)])).equals(target)).toBe(true);
  expect(decodedByProgram(patch, [SOURCE])).toEqual({ status: 0, stderr: '', target });
});
