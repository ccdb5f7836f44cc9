import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { StreamReader } from '../../src/tar/byteReader.ts';
import { gzip, gzipStored, gzipStoredSize } from '../../src/compress/gzip.ts';
import type { TarFile } from '../../src/tar/tar.ts';
import { tarFile, tarSize, tarStream } from '../../src/tar/tar.ts';
import { walkTar } from '../../src/tar/tarRead.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

async function* chunksOf(content: Buffer, size: number): AsyncGenerator<Buffer> {
  await Promise.resolve();
  for (let at = 0; at < content.length; at += size) yield content.subarray(at, at + size);
}

async function* zeros(size: number): AsyncGenerator<Buffer> {
  const piece = Buffer.alloc(1 << 24);
  for (let left = size; left > 0; left -= piece.length) {
    yield await Promise.resolve(piece.subarray(0, Math.min(left, piece.length)));
  }
}

const streamed = (path: string, content: string): TarFile => ({
  path,
  size: content.length,
  body: () => Readable.from([Buffer.from(content.slice(0, 2)), Buffer.from(content.slice(2))]),
});

const tables: [string, TarFile[]][] = [
  ['nothing', []],
  ['an empty file', [tarFile('empty', '')]],
  [
    'bodies that fill blocks',
    [tarFile('511', 'a'.repeat(511)), tarFile('512', 'b'.repeat(512)), tarFile('513', 'c'.repeat(513))],
  ],
  ['a stream', [streamed('streamed', 'content')]],
  ['a name of 100 bytes', [tarFile('n'.repeat(100), 'x')]],
  ['a name of 101 bytes', [tarFile('n'.repeat(101), 'x')]],
  ['a deep name', [tarFile(`${'folder/'.repeat(40)}file`, 'x')]],
  ['a name that is not ASCII', [tarFile('größe/ファイル.txt', 'x')]],
];

describe('tarStream', () => {
  it.each(tables)('is read by tar, and is as long as tarSize says: %s', async (_name, entries) => {
    const folder = temporaryFolder();
    const bytes = await buffer(tarStream(entries));
    expect(bytes.length).toBe(tarSize(entries));
    expect(bytes.subarray(-1024).equals(Buffer.alloc(1024))).toBe(true);
    writeFileSync(join(folder, 'a.tar'), bytes);
    mkdirSync(join(folder, 'out'));
    execFileSync('tar', ['-xf', 'a.tar', '-C', 'out'], { cwd: folder, stdio: 'pipe' });
    for (const { path, size } of entries) {
      expect(readFileSync(join(folder, 'out', path)).length).toBe(size);
    }
  });

  it('writes modes, and the same bytes every time', async () => {
    const folder = temporaryFolder();
    const entries = [tarFile('run.sh', '#!/bin/sh\n', 0o755), tarFile('data', 'x')];
    const bytes = await buffer(tarStream(entries, 1_700_000_000));
    expect(bytes.equals(await buffer(tarStream(entries, 1_700_000_000)))).toBe(true);
    execFileSync('tar', ['-xf', '-', '-C', folder], { input: bytes });
    const run = statSync(join(folder, 'run.sh'));
    expect([run.mode & 0o777, run.mtimeMs]).toEqual([0o755, 1_700_000_000_000]);
    expect(statSync(join(folder, 'data')).mode & 0o777).toBe(0o644);
  });

  it('writes sizes of 8 GiB and more', async () => {
    const size = 2 ** 33 + 5;
    const entries = [{ path: 'big', size, body: () => zeros(size) }, tarFile('behind', 'x')];
    const head = await first(tarStream(entries));
    const entry = await walkTar(new StreamReader(chunksOf(head, 512)), 'test').next();
    expect(entry.value).toMatchObject({ path: 'big', size });
    expect(tarSize(entries)).toBe(512 + 2 ** 33 + 512 + 512 + 512 + 1024);
  });

  it.each([
    ['shorter', 5],
    ['longer', 3],
  ])('fails where a body is %s than it says', async (_what, size) => {
    const entries = [{ ...streamed('wrong', 'four'), size }];
    await expect(buffer(tarStream(entries))).rejects.toMatchObject({ name: 'IntegrityError' });
  });
});

async function first(chunks: AsyncIterable<Buffer>): Promise<Buffer> {
  for await (const chunk of chunks) return chunk;
  return Buffer.alloc(0);
}

const gzipCases = [0, 1, 65_534, 65_535, 65_536, 131_070, 300_000].flatMap((size) =>
  [0, 1, 250].map((emptyBlocks) => [size, emptyBlocks] as const),
);

describe('gzipStored', () => {
  it.each(gzipCases)('of %d bytes with %d empty blocks is what gzip reads', async (size, emptyBlocks) => {
    const content = Buffer.alloc(size, 'some text ');
    const bytes = await buffer(gzipStored(chunksOf(content, 40_000), size, emptyBlocks));
    expect(bytes.length).toBe(gzipStoredSize(size, emptyBlocks));
    expect(execFileSync('gzip', ['-dc'], { input: bytes }).equals(content)).toBe(true);
  });

  it('keeps its checksum where a chunk is empty', async () => {
    const chunks = Readable.from([Buffer.from('one'), Buffer.alloc(0), Buffer.from('two')]);
    const bytes = await buffer(gzipStored(chunks, 6));
    expect(execFileSync('gzip', ['-dc'], { input: bytes }).toString()).toBe('onetwo');
  });

  it.each([2, 4])('fails where %d bytes were promised and three come', async (size) => {
    const stored = gzipStored(chunksOf(Buffer.from('abc'), 10), size);
    await expect(buffer(stored)).rejects.toMatchObject({ name: 'IntegrityError' });
  });
});

describe('gzip', () => {
  it.each([0, 1, 1 << 20, (1 << 20) + 1, 5_000_000])(
    'packs %d bytes, the same with any threads',
    async (size) => {
      const content = Buffer.alloc(size, 'some text ');
      const [one, four] = [
        await buffer(gzip(chunksOf(content, 100_000), 6, 1)),
        await buffer(gzip(chunksOf(content, 999_999), 6, 4)),
      ];
      expect(one.equals(four)).toBe(true);
      expect(execFileSync('gzip', ['-dc'], { input: one, maxBuffer: 1 << 24 }).equals(content)).toBe(true);
    },
  );

  it('passes the error of the content on', async () => {
    const broken = (async function* (): AsyncGenerator<Buffer> {
      yield await Promise.resolve(Buffer.alloc(3 << 20));
      throw new Error('the source broke');
    })();
    await expect(buffer(gzip(broken, 6, 2))).rejects.toThrow('the source broke');
  });
});
