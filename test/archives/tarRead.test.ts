import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../src/errors.ts';
import { fileReader, StreamReader } from '../../src/tar/byteReader.ts';
import { tarSize, tarStream } from '../../src/tar/tar.ts';
import type { TarHeader } from '../../src/tar/tarRead.ts';
import { walkTar } from '../../src/tar/tarRead.ts';
import { scanArchive } from '../../src/archives/scanArchive.ts';
import { tarOf } from '../helpers/tarball.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}

function entriesOf(bytes: Buffer, chunk = 65_536): Promise<TarHeader[]> {
  return all(walkTar(new StreamReader(chunksOf(bytes, chunk)), 'it'));
}

async function* chunksOf(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield await Promise.resolve(bytes.subarray(at, at + size));
}

describe('walking a tar', () => {
  const archive = tarOf({ 'a/': '', 'a/b': 'content', './c': '', 'a/d': { link: '../c' } });

  it.each([1, 7, 512, 4096])('in chunks of %i bytes', async (chunk) => {
    expect(await entriesOf(archive, chunk)).toEqual([
      { path: 'a', name: 'a/', kind: 'folder', size: 0, offset: 512 },
      { path: 'a/b', name: 'a/b', kind: 'file', size: 7, offset: 1024 },
      { path: 'c', name: './c', kind: 'file', size: 0, offset: 2048 },
      { path: 'a/d', name: 'a/d', kind: 'link', size: 0, offset: 2560, target: 'c' },
    ]);
  });

  it('sees an entry behind one of 9 GiB, in a file that is all hole', async () => {
    const size = 9 * 2 ** 30;
    const name = 'n'.repeat(150);
    const big = { path: name, size, body: () => Readable.from([]) };
    const small = { path: 'after', size: 3, body: Buffer.from('abc') };
    const [header, longName, bigHeader] = await firstChunks(big);
    expect([longName, bigHeader]).toEqual([undefined, undefined]);
    const path = join(temporaryFolder(), 'big.tar');
    const file = await open(path, 'w+');
    try {
      await file.write(header!, 0, header!.length, 0);
      const rest = Buffer.concat(await all(tarStream([small])));
      const end = tarSize([big]) - 1024;
      await file.write(rest, 0, rest.length, end);
      const entries = await all(walkTar(fileReader(file, end + rest.length), 'it'));
      expect(entries.map(({ path: at, size: bytes }) => [at, bytes])).toEqual([
        [name, size],
        ['after', 3],
      ]);
      expect(entries[1]!.offset).toBe(end + 512);
    } finally {
      await file.close();
    }
  });

  async function firstChunks(entry: Parameters<typeof tarStream>[0] extends Iterable<infer T> ? T : never) {
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of tarStream([entry])) chunks.push(chunk);
    } catch {
      // The body is shorter than it says: only the header is wanted.
    }
    return chunks;
  }

  it('gives back what the writer was given, for any names and sizes', async () => {
    const names = fc.uniqueArray(fc.stringMatching(/^[a-z0-9]{1,9}(\/[a-zé._-]{1,60}x){0,4}$/), {
      maxLength: 6,
    });
    await fc.assert(
      fc.asyncProperty(names, fc.integer({ min: 1, max: 1500 }), async (paths, size) => {
        const entries = paths.map((path, position) => ({
          path,
          size: size + position,
          body: Buffer.alloc(size + position, 1),
        }));
        const bytes = Buffer.concat(await all(tarStream(entries)));
        const found = await entriesOf(bytes, 1000);
        expect(found.map((entry) => [entry.path, entry.size])).toEqual(
          entries.map((entry) => [entry.path, entry.size]),
        );
      }),
      { numRuns: 50 },
    );
  });

  it('fails with a UserError or not at all, whatever byte is changed', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: archive.length - 1 }),
        fc.integer({ min: 0, max: 255 }),
        async (at, value) => {
          const bytes = Buffer.from(archive);
          bytes[at] = value;
          await entriesOf(bytes).catch((error: unknown) => {
            expect(error).toBeInstanceOf(UserError);
          });
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe('scanning a stream', () => {
  it('keeps documents, hands over what is wanted, and ends when that has passed', async () => {
    const bytes = tarOf({ 'a.json': '{"a":1}', wanted: 'x'.repeat(3000), other: 'y', 'late.json': '[]' });
    const taken: string[] = [];
    const state = { released: false };
    const source = async function* (): AsyncGenerator<Buffer> {
      try {
        yield* chunksOf(bytes, 512);
      } finally {
        state.released = true;
      }
    };
    const files = await scanArchive(source(), 'it', {
      wants: (path) => path === 'wanted',
      take: async ({ path, size }, body) => {
        const content = Buffer.concat((await body.toArray()) as Buffer[]).toString();
        taken.push(`${path} ${size} ${content.length}`);
      },
      done: () => taken.length > 0,
    });
    expect(taken).toEqual(['wanted 3000 3000']);
    expect(Buffer.from((await files.read('a.json'))!).toString()).toBe('{"a":1}');
    expect(await files.read('late.json')).toBeUndefined();
    expect(await files.locate('wanted')).toMatchObject({ path: 'wanted', size: 3000 });
    await new Promise((resolve) => setImmediate(resolve));
    expect(state.released).toBe(true);
  });

  it('a document that is larger than any manifest is not kept, and refused when it is asked for', async () => {
    const huge = Buffer.alloc((8 << 20) + 1, '{');
    const files = await scanArchive(chunksOf(tarOf({ 'index.json': huge }), 1 << 20), 'it');
    await expect(files.read('index.json')).rejects.toThrow(/expected a JSON document, found 8388609 bytes/);
  });

  it('a flood of documents is refused', async () => {
    const document = Buffer.alloc(7 << 20, '[');
    const flood = Object.fromEntries(Array.from({ length: 10 }, (_, at) => [`${at}.json`, document]));
    await expect(scanArchive(chunksOf(tarOf(flood), 1 << 20), 'it')).rejects.toThrow(
      /bytes of JSON documents/,
    );
  });

  it('a body that its taker leaves unread does not disturb the walk', async () => {
    const bytes = tarOf({ first: 'x'.repeat(200_000), second: 'y' });
    const seen: string[] = [];
    await scanArchive(chunksOf(bytes, 512), 'it', {
      wants: () => true,
      take: ({ path }) => {
        seen.push(path);
        return Promise.resolve();
      },
      done: () => false,
    });
    expect(seen).toEqual(['first', 'second']);
  });
});
