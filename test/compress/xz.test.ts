import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { unxz, xz } from '../../src/compress/xz.ts';
import type { XzContent, XzLevel } from '../../src/compress/xzCoding.ts';
import { xzCoding } from '../../src/compress/xzCoding.ts';
import { unxzByLibrary, xzByLibrary } from '../../src/compress/xzLibrary.ts';
import { unxzByProgram, xzByProgram } from '../../src/compress/xzProgram.ts';
import { compiledSources } from '../helpers/compiled.ts';
import { temporaryFolder } from '../helpers/temporary.ts';
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

const MIB = 1 << 20;
const UNKNOWN: XzContent = { size: 0, reach: 0 };
const TEXT = Buffer.from('layers of an image, again and again. '.repeat(40_000));
const contents: [string, Buffer][] = [
  ['nothing', Buffer.alloc(0)],
  ['one byte', Buffer.from('a')],
  ['text', TEXT],
  ['noise of several blocks', randomBytes(3 << 20)],
];

const packers = [
  ['the library', xzByLibrary],
  ['the program', xzByProgram],
] as const;

describe('xz', () => {
  it.each(contents)('is read by xz itself: %s', async (_name, content) => {
    requireTool('xz', 'xz-utils');
    const packed = await collect(xz(chunksOf(content), 0, 2));
    const unpacked = execFileSync('xz', ['-dc'], { input: packed, maxBuffer: 1 << 28 });
    expect(unpacked.equals(content)).toBe(true);
  });

  it.each<[XzLevel, number, XzContent]>([
    [0, 1, UNKNOWN],
    [0, 4, UNKNOWN],
    [2, 1, UNKNOWN],
    [2, 2, UNKNOWN],
    [2, 2, { size: 0, reach: 5 << 20 }],
    [6, 1, UNKNOWN],
    [6, 2, UNKNOWN],
    [6, 2, { size: 70_000, reach: 0 }],
    [6, 2, { size: 0, reach: 9 << 20 }],
  ])('gives the same bytes by program and library: level %i, %i threads, %j', async (...how) => {
    requireTool('xz', 'xz-utils');
    for (const [name, content] of contents) {
      const [one, other] = await Promise.all(
        packers.map(([, pack]) => collect(pack(chunksOf(content), xzCoding(...how)))),
      );
      expect(one?.equals(other!), name).toBe(true);
    }
  });

  it.each(packers)('gives the same bytes with any number of threads, by %s', async (_name, pack) => {
    const content = Buffer.concat([TEXT, randomBytes(1 << 20), TEXT]);
    for (const level of [0, 2, 6] as const) {
      const [one, four] = [
        await collect(pack(chunksOf(content), xzCoding(level, 1, UNKNOWN))),
        await collect(pack(chunksOf(content, 1000), xzCoding(level, 4, UNKNOWN))),
      ];
      expect(one.equals(four)).toBe(true);
      expect(one.length).toBeLessThan(content.length);
    }
  });

  it.each([
    [1, 1 << 16],
    [65_536, 1 << 16],
    [65_537, 1 << 17],
    [5 << 20, 8 << 20],
    [200 << 20, 16 << 20],
    [0, 16 << 20],
  ])('takes a dictionary for %i bytes that has %i', (size, dictionary) => {
    expect(xzCoding(6, 2, { size, reach: 0 }).filter.dictionary).toBe(dictionary);
  });

  it.each<[string, XzLevel, [number, number], [number, string]]>([
    ['that the usual dictionary reaches in one block', 6, [20, 10], [16, 'BT4']],
    ['in a block that is as long as the usual one', 6, [32, 15], [16, 'BT4']],
    ['in a small block', 6, [8, 6], [8, 'BT4']],
    ['farther than the usual dictionary', 6, [20, 16], [32, 'HC4']],
    ['in more than a usual block', 6, [33, 10], [16, 'HC4']],
    ['in content of unknown size', 6, [0, 10], [16, 'HC4']],
    ['in all of the content', 6, [16, 15.5], [16, 'HC4']],
    ['of the fast level', 2, [8, 6], [8, 'HC4']],
  ])('finds repeats %s', (_, level, [size, reach], [dictionary, matchFinder]) => {
    const { filter, blocks } = xzCoding(level, 2, { size: size * MIB, reach: reach * MIB });
    expect([filter.dictionary / MIB, filter.matchFinder]).toEqual([dictionary, matchFinder]);
    expect(blocks === undefined || (size > 0 && size * MIB <= blocks.size)).toBe(true);
  });

  it('packs once what repeats within reach', async () => {
    requireTool('xz', 'xz-utils');
    const shared = randomBytes(3 << 20);
    const content = Buffer.concat([shared, TEXT, shared]);
    const [near, far] = [
      await collect(xz(chunksOf(content), 2, 2)),
      await collect(xz(chunksOf(content), 2, 2, { size: 0, reach: shared.length + TEXT.length })),
    ];
    expect(near.length).toBeGreaterThan(1.9 * shared.length);
    expect(far.length).toBeLessThan(1.01 * shared.length);
    const unpacked = execFileSync('xz', ['-dc'], { input: far, maxBuffer: 1 << 28 });
    expect(unpacked.equals(content)).toBe(true);
    expect((await collect(unxz(chunksOf(far)))).equals(content)).toBe(true);
  });

  it.each(packers)('passes the error of the content on, by %s', async (_name, pack) => {
    await expect(collect(pack(failing(TEXT), xzCoding(6, 2, UNKNOWN)))).rejects.toThrow('the source broke');
  });

  it.each(packers)('ends quietly when the reader has enough, by %s', async (_name, pack) => {
    for await (const chunk of pack(chunksOf(randomBytes(8 << 20)), xzCoding(0, 2, UNKNOWN))) {
      expect(chunk.length).toBeGreaterThan(0);
      break;
    }
  });
});

describe('an xz program on PATH', () => {
  const path = process.env['PATH'];
  afterEach(() => {
    process.env['PATH'] = path;
  });

  /** A run asks for the program once: each test here is a run of its own. */
  async function run() {
    vi.resetModules();
    const { hasXzProgram } = await import('../../src/compress/xzProgram.ts');
    return { hasXzProgram, ...(await import('../../src/compress/xz.ts')) };
  }

  function install(script: string): void {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'xz'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    process.env['PATH'] = `${folder}:${path}`;
  }

  it.each([
    ['is used where it is of XZ Utils', 'echo "xz (XZ Utils) 5.4.1"', true],
    ['is not where it can do no blocks', 'echo "xz (XZ Utils) 5.0.8"', false],
    ['is not where it only unpacks', 'echo "BusyBox v1.35.0 multi-call binary"; exit 1', false],
    ['is not where it does not run', 'exit 127', false],
  ])('%s', async (_name, script, isUsed) => {
    install(script);
    const { hasXzProgram } = await run();
    expect(await hasXzProgram()).toBe(isUsed);
  });

  it('is asked for its version once in a run', async () => {
    const calls = join(temporaryFolder(), 'calls');
    install(`echo "$1" >> ${calls}; echo "BusyBox"`);
    const { xz } = await run();
    for (let count = 0; count < 3; count++) await collect(xz(chunksOf(TEXT), 0, 1));
    expect(readFileSync(calls, 'utf8')).toBe('--version\n');
  });

  it('is not used if it is not installed', async () => {
    process.env['PATH'] = temporaryFolder();
    const { hasXzProgram, xz } = await run();
    expect(await hasXzProgram()).toBe(false);
    expect(await collect(unxz(xz(chunksOf(TEXT), 0, 1)))).toEqual(TEXT);
  });

  it.each([
    ['at once', 'echo "xz: no memory" >&2; exit 1'],
    ['at the end', 'cat > /dev/null; echo "xz: no memory" >&2; exit 1'],
  ])('that fails %s is named with what it said', async (_name, script) => {
    install(script);
    await expect(
      collect(xzByProgram(chunksOf(randomBytes(1 << 20)), xzCoding(0, 1, UNKNOWN))),
    ).rejects.toMatchObject({
      name: 'ToolError',
      message: 'packing: xz failed: xz: no memory',
    });
  });

  it('does not follow options in the environment', async () => {
    process.env['XZ_OPT'] = '--check=none';
    try {
      const packed = await collect(xzByProgram(chunksOf(TEXT), xzCoding(0, 1, UNKNOWN)));
      expect(packed.equals(await collect(xzByLibrary(chunksOf(TEXT), xzCoding(0, 1, UNKNOWN))))).toBe(true);
    } finally {
      delete process.env['XZ_OPT'];
    }
  });
});

const unpackers = [
  ['the library', unxzByLibrary],
  ['the program', unxzByProgram],
] as const;

describe.each(unpackers)('unpacking xz by %s', (_by, unpack) => {
  it.each(contents)('gives back what xz packed: %s', async (_name, content) => {
    requireTool('xz', 'xz-utils');
    const packed = execFileSync('xz', ['-1', '--block-size=1MiB'], { input: content, maxBuffer: 1 << 28 });
    expect((await collect(unpack(chunksOf(packed)))).equals(content)).toBe(true);
  });

  it('reads several streams and the padding between them', async () => {
    const packed = execFileSync('xz', ['-c'], { input: TEXT });
    const both = Buffer.concat([packed, Buffer.alloc(8), packed]);
    expect((await collect(unpack(chunksOf(both, 100)))).equals(Buffer.concat([TEXT, TEXT]))).toBe(true);
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
    await expect(collect(unpack(chunksOf(damage(packed))))).rejects.toMatchObject({ name: error });
  });

  it('refuses a dictionary that asks for too much memory', async () => {
    const packed = execFileSync('xz', ['--lzma2=preset=0,dict=512MiB'], { input: TEXT });
    await expect(collect(unpack(chunksOf(packed)))).rejects.toMatchObject({ name: 'UnsupportedError' });
  });

  it('passes the error of the source on', async () => {
    await expect(collect(unpack(failing(Buffer.from([0xfd]))))).rejects.toThrow('the source broke');
  });
});

function flip(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at] = (copy[at] ?? 0) ^ 0xff;
  return copy;
}

describe('on a machine where the library can not be loaded', () => {
  /** Packs and unpacks a text with the compiled sources, without the package. */
  function roundTrip(path: string) {
    const folder = temporaryFolder();
    const dist = compiledSources(folder);
    rmSync(join(folder, 'node_modules'));
    mkdirSync(join(folder, 'node_modules'));
    for (const name of readdirSync(resolve('node_modules')).filter((one) => one !== 'lzma-native'))
      symlinkSync(resolve('node_modules', name), join(folder, 'node_modules', name));
    const script = `import { unxz, xz } from '${dist}/compress/xz.js';
      const content = (async function* () { yield Buffer.from('text'); })();
      try { for await (const part of unxz(xz(content, 0, 2))) process.stdout.write(part); }
      catch (error) { process.stdout.write(error.name + ': ' + error.message); }`;
    const options = { encoding: 'utf8', env: { PATH: path } } as const;
    return execFileSync(process.execPath, ['--input-type=module', '-e', script], options);
  }

  it('the program packs and unpacks', () => {
    expect(roundTrip(process.env['PATH']!)).toBe('text');
  });

  it('and that has no program, the error says what to install', () => {
    expect(roundTrip(temporaryFolder())).toMatch(/^UnsupportedError: lzma: the xz program is not on PATH/);
  });
});
