import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { unxz, xz } from '../../src/io/xz.ts';
import { requireTool } from '../helpers/tools.ts';

async function collect(chunks: AsyncIterable<Buffer>): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const chunk of chunks) parts.push(chunk);
  return Buffer.concat(parts);
}

async function* chunksOf(content: Buffer, size = 65_536): AsyncGenerator<Buffer> {
  await Promise.resolve();
  for (let at = 0; at < content.length; at += size) yield content.subarray(at, at + size);
}

async function* failing(head: Buffer): AsyncGenerator<Buffer> {
  yield await Promise.resolve(head);
  throw new Error('the source broke');
}

const TEXT = Buffer.from('layers of an image, again and again. '.repeat(40_000));
const contents: [string, Buffer][] = [
  ['nothing', Buffer.alloc(0)],
  ['one byte', Buffer.from('a')],
  ['text', TEXT],
  ['noise of several blocks', randomBytes(3 << 20)],
];

describe('xz', () => {
  it.each(contents)('is read by xz itself: %s', async (_name, content) => {
    requireTool('xz', 'xz-utils');
    const packed = await collect(xz(chunksOf(content), 0, 2));
    const unpacked = execFileSync('xz', ['-dc'], { input: packed, maxBuffer: 1 << 28 });
    expect(unpacked.equals(content)).toBe(true);
  });

  it.each([0, 2, 6] as const)(
    'gives the same bytes with any number of threads at level %d',
    async (level) => {
      const content = Buffer.concat([TEXT, randomBytes(1 << 20), TEXT]);
      const [one, four] = [
        await collect(xz(chunksOf(content), level, 1)),
        await collect(xz(chunksOf(content, 1000), level, 4)),
      ];
      expect(one.equals(four)).toBe(true);
      expect(one.length).toBeLessThan(content.length);
    },
  );

  it('packs once what repeats within reach', async () => {
    requireTool('xz', 'xz-utils');
    const shared = randomBytes(3 << 20);
    const content = Buffer.concat([shared, TEXT, shared]);
    const [near, far] = [
      await collect(xz(chunksOf(content), 2, 2)),
      await collect(xz(chunksOf(content), 2, 2, shared.length + TEXT.length)),
    ];
    expect(near.length).toBeGreaterThan(1.9 * shared.length);
    expect(far.length).toBeLessThan(1.01 * shared.length);
    const unpacked = execFileSync('xz', ['-dc'], { input: far, maxBuffer: 1 << 28 });
    expect(unpacked.equals(content)).toBe(true);
    expect((await collect(unxz(chunksOf(far)))).equals(content)).toBe(true);
  });

  it('passes the error of the content on', async () => {
    await expect(collect(xz(failing(TEXT), 6, 2))).rejects.toThrow('the source broke');
  });

  it('ends quietly when the reader has enough', async () => {
    for await (const chunk of xz(chunksOf(randomBytes(8 << 20)), 0, 2)) {
      expect(chunk.length).toBeGreaterThan(0);
      break;
    }
  });
});

describe('unxz', () => {
  it.each(contents)('gives back what xz packed: %s', async (_name, content) => {
    requireTool('xz', 'xz-utils');
    const packed = execFileSync('xz', ['-1', '--block-size=1MiB'], { input: content, maxBuffer: 1 << 28 });
    expect((await collect(unxz(chunksOf(packed)))).equals(content)).toBe(true);
  });

  it('reads several streams and the padding between them', async () => {
    const packed = execFileSync('xz', ['-c'], { input: TEXT });
    const both = Buffer.concat([packed, Buffer.alloc(8), packed]);
    expect((await collect(unxz(chunksOf(both, 100)))).equals(Buffer.concat([TEXT, TEXT]))).toBe(true);
  });

  it.each<[string, (packed: Buffer) => Buffer, string]>([
    ['truncated', (packed) => packed.subarray(0, packed.length - 20), 'IntegrityError'],
    ['flipped', (packed) => flip(packed, packed.length >> 1), 'IntegrityError'],
    [
      'followed by something else',
      (packed) => Buffer.concat([packed, Buffer.from('more')]),
      'IntegrityError',
    ],
    ['no xz at all', () => TEXT, 'IntegrityError'],
  ])('refuses content that is %s', async (_name, damage, error) => {
    const packed = execFileSync('xz', ['-c'], { input: randomBytes(100_000) });
    await expect(collect(unxz(chunksOf(damage(packed))))).rejects.toMatchObject({ name: error });
  });

  it('refuses a dictionary that asks for too much memory', async () => {
    const packed = execFileSync('xz', ['--lzma2=preset=0,dict=512MiB'], { input: TEXT });
    await expect(collect(unxz(chunksOf(packed)))).rejects.toMatchObject({ name: 'UnsupportedError' });
  });

  it('passes the error of the source on', async () => {
    await expect(collect(unxz(failing(Buffer.from([0xfd]))))).rejects.toThrow('the source broke');
  });
});

function flip(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at] = (copy[at] ?? 0) ^ 0xff;
  return copy;
}
