import { createReadStream, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeDelta } from '../../../src/delta/engine.ts';
import type { EncoderName } from '../../../src/delta/layer.ts';
import { IntegrityError } from '../../../src/errors.ts';
import { silentLog } from '../../../src/io/log.ts';
import { digestOf } from '../../../src/oci/digest.ts';
import { examineLayer } from '../../../src/pipeline/report/examineLayer.ts';
import type { ExaminedFile, LayerContents } from '../../../src/pipeline/report/examined.ts';
import { hasOnlyNewTime, judgeFile } from '../../../src/pipeline/report/judgeFile.ts';
import { examineDelta, examineLoneDelta } from '../../../src/pipeline/report/readLayers.ts';
import { contentOf } from '../../delta/tars.ts';
import { tarOfList } from '../../helpers/tarball.ts';
import type { RawEntry } from '../../helpers/tarball.ts';

const noise = (seed: number, size: number): Buffer => Buffer.from(contentOf({ kind: 'noise', seed, size }));
const text = (seed: number, size: number): Buffer => Buffer.from(contentOf({ kind: 'text', seed, size }));
const program = (seed: number, size: number): Buffer =>
  Buffer.concat([Buffer.from('\x7fELF'), noise(seed, size)]);
const edited = (bytes: Buffer): Buffer =>
  Buffer.concat([bytes.subarray(0, 9000), noise(99, 3000), bytes.subarray(9000)]);
const archive = (seed: number): Buffer => gzipSync(noise(seed, 20_000));

const OLD: RawEntry[] = [
  { path: 'app/', type: '5' },
  { path: 'app/same', content: noise(1, 20_000) },
  { path: 'app/touched', content: noise(2, 20_000) },
  { path: 'app/old-name', content: noise(3, 20_000) },
  { path: 'app/edited', content: noise(4, 20_000) },
  { path: 'app/tool', content: program(5, 20_000) },
  { path: 'app/bundle.gz', content: archive(6) },
];
const NEW: RawEntry[] = [
  { path: './app/', type: '5' },
  { path: './app/same', content: noise(1, 20_000) },
  { path: './app/touched', content: noise(2, 20_000), mtime: 1_800_000_000 },
  { path: './app/new-name', content: noise(3, 20_000) },
  { path: './app/edited', content: edited(noise(4, 20_000)) },
  { path: './app/tool', content: edited(program(5, 20_000)) },
  { path: './app/bundle.gz', content: archive(7) },
  { path: './app/fresh', content: text(8, 30_000) },
  { path: './app/empty', content: '' },
  { path: './app/link', type: '2', link: '/etc/passwd' },
];

const folder = mkdtempSync(join(tmpdir(), 'mender-docker-delta-report-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const pathOf = (name: string): string => join(folder, name);
async function deltaOf(from: Buffer, to: Buffer, encoder: EncoderName = 'builtin'): Promise<void> {
  writeFileSync(pathOf('from'), from);
  writeFileSync(pathOf('to'), to);
  const layer = (name: string, bytes: Buffer) => ({
    diffID: digestOf(bytes),
    path: pathOf(name),
    size: bytes.length,
  });
  const options = { encoder, effort: 'fast', workers: 1, log: silentLog } as const;
  await makeDelta(layer('from', from), layer('to', to), pathOf('delta'), options);
}
const delta = (): AsyncIterable<Buffer> => createReadStream(pathOf('delta'), { highWaterMark: 5000 });
async function* chunksOf(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield await Promise.resolve(bytes.subarray(at, at + size));
}

describe('a delta with its base layer', () => {
  const to = tarOfList(NEW);
  let contents: LayerContents;
  const file = (path: string): ExaminedFile => contents.files!.find((one) => one.path === path)!;
  beforeAll(async () => {
    await deltaOf(tarOfList(OLD), to);
    ({ contents } = await examineDelta(delta(), { path: pathOf('from') }, to.length));
  });

  test.each([
    ['app/same', 'kept', 0],
    ['app/touched', 'kept', 0],
    ['app/new-name', 'moved', 0],
    ['app/edited', 'edited', 3000],
    ['app/tool', 'edited', 3000],
    ['app/bundle.gz', 'packed', 20_000],
    ['app/fresh', 'new', 30_000],
  ])('says of %s that it is %s', (path, state, sent) => {
    expect(judgeFile(file(path))).toBe(state);
    expect(Math.abs(file(path).added - sent)).toBeLessThan(300);
  });

  test('tells where the bytes of a file are from', () => {
    expect(file('app/same')).toMatchObject({ kept: 20_000, moved: 0, added: 0, size: 20_000 });
    expect(file('app/new-name')).toMatchObject({ kept: 0, moved: 20_000, base: { path: 'app/old-name' } });
    expect(file('app/tool').content).toBe('program');
    expect(file('app/empty')).toMatchObject({ size: 0, kind: 'file' });
    expect(file('app/link')).toMatchObject({ size: 0, kind: 'other' });
    expect(file('app')).toMatchObject({ kind: 'folder' });
  });

  test('knows a file with only a new time', () => {
    expect(contents.files!.filter(hasOnlyNewTime).map(({ path }) => path)).toEqual(['app/touched']);
  });

  test('sums up to the layer', () => {
    const { kept, moved, added, repeated } = contents;
    expect(kept + moved + added + repeated).toBe(to.length);
    const instructions = contents.files!.reduce((sum, one) => sum + one.instructions, 0);
    expect(instructions).toBeGreaterThan(5);
    expect(contents.instructions - instructions).toBeLessThanOrEqual(1);
    expect(file('app/edited').instructions).toBeGreaterThan(file('app/same').instructions);
    expect(contents.weight).toBeGreaterThan(26_000);
    expect(contents.weight).toBeLessThan(80_000);
  });

  test('gives sums without the base layer, and no files', async () => {
    const { contents: alone } = await examineLoneDelta(delta(), to.length);
    expect(alone.files).toBeUndefined();
    expect(alone.kept + alone.added + alone.repeated).toBe(to.length);
    expect(alone.weight / contents.weight).toBeCloseTo(1, 1);
  });

  test('fails for another base layer', async () => {
    writeFileSync(pathOf('other'), Buffer.alloc(tarOfList(OLD).length));
    await expect(examineDelta(delta(), { path: pathOf('other') }, to.length)).rejects.toThrow(IntegrityError);
  });

  test('gives the same twice', async () => {
    const again = await examineDelta(delta(), { path: pathOf('from') }, to.length);
    expect(again.contents).toEqual(contents);
  });
});

test.each(['xdelta3', 'xdelta3-wasm'] as const)('reads the deltas of %s', async (encoder) => {
  const to = tarOfList(NEW);
  await deltaOf(tarOfList(OLD), to, encoder);
  const { contents } = await examineDelta(delta(), { path: pathOf('from') }, to.length);
  const { kept, moved, added, repeated } = contents;
  expect(kept + moved + added + repeated).toBe(to.length);
  const states = new Map(contents.files!.map((one) => [one.path, judgeFile(one)]));
  expect(
    ['app/same', 'app/new-name', 'app/edited', 'app/bundle.gz', 'app/fresh'].map((path) => states.get(path)),
  ).toEqual(['kept', 'moved', 'edited', 'packed', 'new']);
});

describe('a whole layer', () => {
  test.each([1, 511, 512, 100_000])('is read in chunks of %i bytes', async (size) => {
    const layer = tarOfList(NEW.slice(0, 4));
    const { files, added } = await examineLayer(chunksOf(size === 1 ? layer.subarray(0, 3000) : layer, size));
    expect(files!.map(({ path }) => path)).toEqual(
      ['app', 'app/same', 'app/touched', 'app/new-name'].slice(0, size === 1 ? 2 : 4),
    );
    expect(added).toBe(size === 1 ? 3000 : layer.length);
  });

  test.each([
    ['nothing', Buffer.alloc(0), []],
    ['the end of a tar', Buffer.alloc(1024), []],
    ['no tar', Buffer.from('x'.repeat(5000)), []],
    [
      'names that lead out',
      tarOfList([
        { path: '../../etc/x', content: 'a' },
        { path: '/abs', content: 'b' },
      ]),
      ['../../etc/x', 'abs'],
    ],
    [
      'a size beyond its end',
      tarOfList([{ path: 'long', content: noise(1, 9000) }]).subarray(0, 4000),
      ['long'],
    ],
  ])('may hold %s', async (_, layer, paths) => {
    const { files, added } = await examineLayer(chunksOf(layer, 1000));
    expect(files!.map(({ path }) => path)).toEqual(paths);
    expect(added).toBe(layer.length);
  });

  test('finds debug information, equal contents and compressed files', async () => {
    const debug = Buffer.concat([program(1, 8000), Buffer.from('.debug_info\0')]);
    const entries = [
      { path: 'a', content: debug },
      { path: 'b', content: noise(2, 5000) },
      { path: 'c', content: noise(2, 5000) },
      { path: 'd', content: Buffer.from('\x89PNG 1234', 'latin1') },
    ];
    const { files } = await examineLayer(chunksOf(tarOfList(entries), 4096));
    const [a, b, c, d] = files!;
    expect([a?.hasDebug, b?.digest === c?.digest, b?.digest === a?.digest]).toEqual([true, true, false]);
    expect([a?.content, b?.content, d?.content]).toEqual(['program', 'other', 'media']);
  });

  test('weighs what can be compressed less', async () => {
    const { files } = await examineLayer(
      chunksOf(
        tarOfList([
          { path: 'noise', content: noise(1, 200_000) },
          { path: 'zeros', content: Buffer.alloc(200_000) },
        ]),
        65_536,
      ),
    );
    const [packed, empty] = files!;
    expect(packed!.weight).toBeGreaterThan(190_000);
    expect(empty!.weight).toBeLessThan(70_000);
  });
});
