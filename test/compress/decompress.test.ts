import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { decompressed, uncompressed } from '../../src/compress/decompress.ts';
import { compressionOf } from '../../src/compress/magic.ts';
import { requireTool } from '../helpers/tools.ts';

/** Bytes that compress a little: pseudo-random hex digits. */
function sample(bytes: number): Buffer {
  const parts: Buffer[] = [];
  for (let index = 0; index * 64 < bytes; index++) {
    parts.push(Buffer.from(createHash('sha256').update(`${index}`).digest('hex')));
  }
  return Buffer.concat(parts).subarray(0, bytes);
}

function zstd(content: Buffer, ...options: string[]): Buffer {
  requireTool('zstd');
  return execFileSync('zstd', ['-q', '-c', ...options], { input: content, maxBuffer: 1 << 28 });
}

async function read(content: Buffer, limit?: number, piece = 1000): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for (let at = 0; at < content.length; at += piece) pieces.push(content.subarray(at, at + piece));
  const chunks: Buffer[] = [];
  for await (const chunk of decompressed(Readable.from(pieces, { objectMode: false }), limit)) {
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks);
}

const text = sample(700_000);
const skippable = Buffer.concat([Buffer.from([0x53, 0x2a, 0x4d, 0x18, 3, 0, 0, 0]), Buffer.from('abc')]);

describe('decompressed gives back the content of', () => {
  test.each<[string, () => Buffer, Buffer]>([
    ['plain bytes', () => text, text],
    ['nothing', () => Buffer.alloc(0), Buffer.alloc(0)],
    ['a few plain bytes', () => Buffer.from('abc'), Buffer.from('abc')],
    ['gzip', () => gzipSync(text), text],
    ['gzip of nothing', () => gzipSync(''), Buffer.alloc(0)],
    ['gzip in members', () => Buffer.concat([gzipSync('one'), gzipSync('two')]), Buffer.from('onetwo')],
    ['zstd', () => zstd(text), text],
    ['zstd with an unknown size', () => zstd(text, '--no-check', '--stream-size=700000'), text],
    ['zstd of nothing', () => zstd(Buffer.alloc(0)), Buffer.alloc(0)],
    ['zstd of one byte', () => zstd(Buffer.from('x'), '--no-check'), Buffer.from('x')],
    ['zstd in frames', () => Buffer.concat([zstd(text), skippable, zstd(text)]), Buffer.concat([text, text])],
    ['zstd behind a skippable frame', () => Buffer.concat([skippable, zstd(text)]), text],
    ['zstd at its best', () => zstd(text, '--ultra', '-22'), text],
    ['zstd that fills the output', () => zstd(Buffer.alloc(1 << 20)), Buffer.alloc(1 << 20)],
    ['zstd of one long run', () => zstd(Buffer.alloc(5_000_000)), Buffer.alloc(5_000_000)],
  ])('%s', async (_name, compressed, expected) => {
    const content = compressed();
    expect((await read(content)).equals(expected)).toBe(true);
    expect((await read(content, expected.length, 1 << 20)).equals(expected)).toBe(true);
  });
});

describe('decompressed refuses', () => {
  /** A frame header whose window descriptor says 2^28, and an empty block. */
  const wideWindow = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, 0x90, 1, 0, 0]);
  const xz = Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00, 0x00]);
  test.each<[string, () => Buffer, number | undefined, string, RegExp]>([
    ['xz', () => xz, undefined, 'UnsupportedError', /compressed with xz/],
    ['bzip2', () => Buffer.from('BZh91AY&SY'), undefined, 'UnsupportedError', /bzip2/],
    ['gzip that ends early', () => gzipSync(text).subarray(0, -20), undefined, 'IntegrityError', /damaged/],
    ['gzip with a wrong checksum', () => flipped(gzipSync(text), -6), undefined, 'IntegrityError', /damaged/],
    [
      'a damaged gzip header',
      () => Buffer.from([0x1f, 0x8b, 9, 9, 9, 9, 9]),
      undefined,
      'IntegrityError',
      /damaged/,
    ],
    ['gzip before a zero', () => zeros(1), undefined, 'IntegrityError', /bytes after its end/],
    ['gzip before many zeros', () => zeros(5000), undefined, 'IntegrityError', /bytes after its end/],
    [
      'gzip members with a zero between',
      () => Buffer.concat([zeros(1), gzipSync('more')]),
      undefined,
      'IntegrityError',
      /bytes after its end/,
    ],
    [
      'zstd that ends early',
      () => zstd(text).subarray(0, -20),
      undefined,
      'IntegrityError',
      /ends too early/,
    ],
    ['zstd with a damaged block', () => flipped(zstd(text), 9), undefined, 'IntegrityError', /damaged/],
    ['bytes after zstd', () => Buffer.concat([zstd(text), text]), undefined, 'IntegrityError', /no frame/],
    ['a zstd window of 256 MiB', () => wideWindow, undefined, 'UnsupportedError', /window/],
    ['more than the limit, plain', () => text, 1000, 'IntegrityError', /larger than 1000 bytes/],
    [
      'more than the limit, gzip',
      () => gzipSync(Buffer.alloc(1 << 24)),
      1000,
      'IntegrityError',
      /larger than/,
    ],
    ['more than the limit, zstd', () => zstd(Buffer.alloc(1 << 24)), 1000, 'IntegrityError', /larger than/],
  ])('%s', async (_name, content, limit, name, message) => {
    const refusal = { name, message: expect.stringMatching(message) as string };
    await expect(read(content(), limit)).rejects.toMatchObject(refusal);
    // The faults are found wherever the pieces end.
    await expect(read(content(), limit, 1 << 24)).rejects.toMatchObject(refusal);
  });
});

function zeros(count: number): Buffer {
  return Buffer.concat([gzipSync(text), Buffer.alloc(count)]);
}

function flipped(content: Buffer, at: number): Buffer {
  const copy = Buffer.from(content);
  const position = at < 0 ? copy.length + at : at;
  copy[position] = (copy[position] ?? 0) ^ 0xff;
  return copy;
}

describe('zstd that made a decoder run for ever or for long is refused at once', () => {
  // A Huffman tree whose weights take no bits, and one whose sizes overflow.
  test.each(['endless.zst', 'slow.zst'])('%s', async (name) => {
    const content = readFileSync(join(import.meta.dirname, '../../fixtures/zstd', name));
    await expect(read(content)).rejects.toMatchObject({ name: 'IntegrityError' });
  });
});

test('the event loop turns while zstd unpacks', async () => {
  const content = zstd(Buffer.alloc(200 << 20));
  let turns = 0;
  const timer = setInterval(() => turns++, 1);
  for await (const piece of uncompressed(Readable.from([content]))) expect(piece.length).toBeGreaterThan(0);
  clearInterval(timer);
  expect(turns).toBeGreaterThan(10);
});

test('the error of the stream below comes through', async () => {
  const broken = Readable.from(
    (async function* () {
      yield await Promise.resolve(gzipSync(text).subarray(0, 5000));
      throw new RangeError('cut');
    })(),
  );
  await expect(decompressed(broken).toArray()).rejects.toThrow(RangeError);
});

test('the stream below is destroyed with the result, even when it never delivers', async () => {
  const silent = new Readable({ read: () => undefined });
  const output = decompressed(silent).resume();
  output.destroy();
  await new Promise((resolve) => silent.once('close', resolve));
  expect(silent.destroyed).toBe(true);
});

test.each([
  [[], 'none'],
  [[0x1f], 'none'],
  [[0x1f, 0x8b], 'gzip'],
  [[0x28, 0xb5, 0x2f, 0xfd], 'zstd'],
  [[0x50, 0x2a, 0x4d, 0x18], 'zstd'],
  [[0x60, 0x2a, 0x4d, 0x18], 'none'],
])('compressionOf %j is %s', (bytes, compression) => {
  expect(compressionOf(Uint8Array.from(bytes))).toBe(compression);
});
