import { Readable } from 'node:stream';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { IntegrityError, UsageError } from '../../src/errors.ts';
import { fileError, fileSize, writeAtomically } from '../../src/io/files.ts';
import { mapLimited } from '../../src/io/pool.ts';
import { digestOfFile, verified } from '../../src/io/verify.ts';
import { digestOf } from '../../src/oci/digest.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

describe('writeAtomically', () => {
  it('makes missing folders and leaves nothing but the file', async () => {
    const folder = temporaryFolder();
    await writeAtomically(join(folder, 'a/b'), (path) => writeFile(path, 'x'));
    expect(readdirSync(join(folder, 'a'))).toEqual(['b']);
  });

  it('leaves the old file and nothing else behind when producing fails', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'f'), 'old');
    const failing = writeAtomically(join(folder, 'f'), async (path) => {
      await writeFile(path, 'half');
      throw new Error('stop');
    });
    await expect(failing).rejects.toThrow('stop');
    expect(readdirSync(folder)).toEqual(['f']);
    expect(readFileSync(join(folder, 'f'), 'utf8')).toBe('old');
  });

  it('says what is wrong with the folder', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'file'), '');
    const path = join(folder, 'file/below');
    await expect(writeAtomically(path, (at) => writeFile(at, ''))).rejects.toThrow(`writing ${path}: `);
  });
});

describe('fileError', () => {
  it.each(['ENOSPC', 'EACCES', 'EROFS', 'ENOENT', 'EDQUOT', 'EIO', 'ELOOP'])(
    'turns %s into a UsageError with a next step',
    (code) => {
      const error = fileError(Object.assign(new Error('x'), { code }), 'writing /x');
      expect(error).toBeInstanceOf(UsageError);
      expect((error as UsageError).message).toMatch(/^writing \/x: /);
      expect((error as UsageError).hint).not.toBe('');
    },
  );

  it('leaves other errors as they are', () => {
    const error = new Error('bug');
    expect(fileError(error, 'x')).toBe(error);
  });
});

describe('verified', () => {
  const content = Buffer.from('content');
  const digest = digestOf(content);
  const chunks = (): AsyncIterable<Buffer> => Readable.from([content.subarray(0, 3), content.subarray(3)]);
  const through = (expected: Parameters<typeof verified>[1]): Promise<Buffer> =>
    buffer(verified(chunks(), expected, 'blob'));

  it.each([[{ digest }], [{ digest, size: 7 }]])('passes what matches %j', async (expected) => {
    expect(await through(expected)).toEqual(content);
  });

  it.each([
    [{ digest: digestOf('other') }, 'blob: expected sha256:'],
    [{ digest, size: 6 }, 'more than the expected 6 bytes'],
    [{ digest, size: 8 }, 'expected 8 bytes, found 7'],
  ])('fails on %j', async (expected, message) => {
    await expect(through(expected)).rejects.toThrow(message);
    await expect(through(expected)).rejects.toThrow(IntegrityError);
  });

  it('gives digest and size of a file', async () => {
    const path = join(temporaryFolder(), 'f');
    writeFileSync(path, content);
    expect(await digestOfFile(path)).toEqual({ digest, size: 7 });
    expect(await fileSize(path)).toBe(7);
    expect(await fileSize(`${path}-none`)).toBeUndefined();
  });
});

describe('mapLimited', () => {
  it.each([1, 2, 5, 100])('keeps the order with %i at a time', async (limit) => {
    let running = 0;
    let most = 0;
    const results = await mapLimited([1, 2, 3, 4, 5], limit, async (item) => {
      most = Math.max(most, ++running);
      await Promise.resolve();
      running--;
      return item * 2;
    });
    expect(results).toEqual([2, 4, 6, 8, 10]);
    expect(most).toBeLessThanOrEqual(limit);
  });

  it('begins nothing after a failure and throws the first', async () => {
    const begun: number[] = [];
    const work = mapLimited([1, 2, 3, 4], 2, (item) => {
      begun.push(item);
      return item === 1 ? Promise.reject(new Error('one')) : Promise.resolve(item);
    });
    await expect(work).rejects.toThrow('one');
    expect(begun).not.toContain(4);
  });
});
