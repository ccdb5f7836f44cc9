import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { decodeVcdiff, encodeVcdiff } from '../../src/api/vcdiff.ts';
import { NotFoundError, UsageError } from '../../src/errors.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

const POSITIONS = ['first', 'second'] as const;

/** Encodes or decodes with `path` as one of the two files that are read. */
async function read(what: 'encode' | 'decode', position: (typeof POSITIONS)[number], path: string) {
  const folder = temporaryFolder();
  const whole = join(folder, 'whole');
  writeFileSync(whole, 'content');
  const [first, second] = position === 'first' ? [path, whole] : [whole, path];
  if (what === 'encode') return encodeVcdiff(first, second, join(folder, 'delta'));
  return decodeVcdiff(first, second, 100).next();
}

describe.each(['encode', 'decode'] as const)('%s', (what) => {
  test.each(POSITIONS)('says that the %s file does not exist', async (position) => {
    const path = join(temporaryFolder(), 'missing');
    await expect(read(what, position, path)).rejects.toThrow(NotFoundError);
    await expect(read(what, position, path)).rejects.toThrow(path);
  });

  test.each<[string, (path: string) => unknown]>([
    ['a folder', (path) => mkdirSync(path)],
    ['a device or named pipe', (path) => execFileSync('mkfifo', [path])],
  ])('refuses %s', async (kind, make) => {
    for (const position of POSITIONS) {
      const path = join(temporaryFolder(), 'odd');
      make(path);
      const error: unknown = await read(what, position, path).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(UsageError);
      expect((error as Error).message).toContain(`expected a regular file, found ${kind}`);
    }
  });
});
