import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { IntegrityError } from '../../src/errors.ts';
import { comparedWrites, writeBehind } from '../../src/io/writeFrom.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

const chunks = ['one', 'a longer one', '', 'x'].map((text) => Buffer.from(text));

async function* given(): AsyncGenerator<Buffer> {
  for (const chunk of chunks) yield await Promise.resolve(chunk);
}

async function written(path: string, flags: string, start: number): Promise<number> {
  const file = await open(path, flags);
  try {
    return await writeBehind(file, start, given(), comparedWrites(path));
  } finally {
    await file.close();
  }
}

describe('writes that are read back', () => {
  it.each([0, 5])('from byte %i on are all there', async (start) => {
    const path = join(temporaryFolder(), 'file');
    const all = Buffer.concat(chunks);
    expect(await written(path, 'wx+', start)).toBe(all.length);
    expect(await readFile(path)).toEqual(Buffer.concat([Buffer.alloc(start), all]));
  });

  it.each(['/dev/null', '/dev/zero'])('are refused where the file forgets them, as %s does', async (path) => {
    const message = `${path}: it does not hold what was written at byte 0`;
    const refusal = new IntegrityError(message, { hint: 'check the disk, and build again' });
    await expect(written(path, 'r+', 0)).rejects.toThrow(refusal);
  });
});
