import { execFileSync } from 'node:child_process';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { encodeBuiltin } from '../../../src/delta/builtin/encode.ts';
import { pairEntries } from '../../../src/delta/builtin/entryPairs.ts';
import { openEncoder } from '../../../src/delta/builtin/windowJob.ts';
import type { DeltaOptions, LayerFile } from '../../../src/delta/layer.ts';
import { PositionedFile } from '../../../src/delta/tar/positioned.ts';
import { silentLog } from '../../../src/io/log.ts';
import { temporaryFolder } from '../../helpers/temporary.ts';
import { requireTool } from '../../helpers/tools.ts';
import { contentOf, tarOfEntries, type Content, type TarEntry } from '../tars.ts';
import { compiledSources } from '../../helpers/compiled.ts';

beforeAll(() => requireTool('xdelta3'));

const OPTIONS: DeltaOptions = { encoder: 'builtin', effort: 'default', workers: 1, log: silentLog };

function layer(path: string, bytes: Uint8Array): LayerFile {
  writeFileSync(path, bytes);
  return { path, size: bytes.length, diffID: `sha256:${'0'.repeat(64)}` };
}

const entry = (path: string, content: Content, flips: number[] = []): TarEntry => ({
  path,
  type: 'file',
  naming: 'ustar',
  content,
  time: 1_700_000_000,
  flips,
});

const noise = (size: number, seed = 1): Content => ({ kind: 'noise', seed, size });

/** The delta's size; stock xdelta3 has made exactly the new bytes of it. */
async function encoded(
  old: Uint8Array,
  fresh: Uint8Array,
  options: Partial<DeltaOptions> = {},
): Promise<number> {
  const folder = temporaryFolder();
  const [from, to, delta] = [join(folder, 'old'), join(folder, 'new'), join(folder, 'delta')];
  await encodeBuiltin(layer(from, old), layer(to, fresh), delta, { ...OPTIONS, ...options });
  execFileSync('xdelta3', ['-d', '-s', from, delta, join(folder, 'out')]);
  expect(readFileSync(join(folder, 'out')).equals(fresh)).toBe(true);
  return statSync(delta).size;
}

const flipsOver = (size: number, step: number): number[] =>
  Array.from({ length: Math.floor(size / step) }, (_, index) => index * step);

test.each<[string, TarEntry[], TarEntry[], number]>([
  [
    'a file that kept its name and size, changed everywhere',
    [entry('a', noise(200_000))],
    [entry('a', noise(200_000), flipsOver(200_000, 500))],
    3500,
  ],
  [
    'a file of another version',
    [entry('lib-1.2.so', noise(90_000))],
    [entry('lib-1.10.so', noise(90_000), [5])],
    300,
  ],
  [
    'a file of the same name elsewhere, changed',
    [entry('x/app.js', noise(90_000))],
    [entry('y/z/app.js', noise(90_000), [5])],
    300,
  ],
  [
    'a renamed file that changed',
    [entry('first', noise(90_000)), entry('other', noise(500, 3))],
    [entry('second', noise(90_000), [5, 60_000])],
    1000,
  ],
  [
    'a file with a new beginning',
    [entry('a', noise(90_000))],
    [entry('a', { ...noise(90_000), size: 89_000 }, [0])],
    300,
  ],
])('finds %s', async (_name, old, fresh, largest) => {
  expect(await encoded(tarOfEntries(old), tarOfEntries(fresh))).toBeLessThan(largest);
});

test('a body of several windows is matched wherever its parts have moved', async () => {
  const parts = [1, 2, 3].map((seed) => contentOf(noise(7_000_000, seed)));
  const [first, second, third] = [parts[0]!, parts[1]!, parts[2]!];
  const old = Buffer.concat([first, second, third]);
  const fresh = Buffer.concat([third, Buffer.from('inserted'), first, second.subarray(0, 5_000_000)]);
  expect(await encoded(old, fresh)).toBeLessThan(3000);
});

test.each(['fast', 'default', 'best'] as const)(
  'bytes of no tar, noise, zeros and nothing: effort %s',
  async (effort) => {
    const samples = [new Uint8Array(), Buffer.alloc(3_000_000), contentOf(noise(50_000)), Buffer.from('x')];
    for (const old of samples) for (const fresh of samples) await encoded(old, fresh, { effort });
  },
  120_000,
);

test('threads of the compiled encoder write the same bytes', async () => {
  const folder = temporaryFolder();
  const big = { kind: 'text', seed: 5, size: 20_000_000 } as const;
  const from = layer(join(folder, 'old'), tarOfEntries([entry('a', big), entry('b', noise(900_000))]));
  const to = layer(
    join(folder, 'new'),
    tarOfEntries([entry('b', noise(900_000)), entry('a', big, flipsOver(20_000_000, 9_000))]),
  );
  await encodeBuiltin(from, to, join(folder, 'here'), OPTIONS);
  const { encodeBuiltin: compiled } = (await import(join(compiledSources(), 'delta/builtin/encode.js'))) as {
    encodeBuiltin: typeof encodeBuiltin;
  };
  for (const workers of [1, 2, 3]) {
    await compiled(from, to, join(folder, `threads-${workers}`), { ...OPTIONS, workers });
    expect(readFileSync(join(folder, `threads-${workers}`)).equals(readFileSync(join(folder, 'here')))).toBe(
      true,
    );
  }
  const missing = { ...to, path: join(folder, 'missing') };
  await expect(compiled(from, missing, join(folder, 'none'), { ...OPTIONS, workers: 2 })).rejects.toThrow(
    'ENOENT',
  );
});

/** Six times the same 20 bytes, 36 bytes apart, with others between them. */
function cells(seed: number, between: number): Buffer {
  const same = contentOf(noise(20, seed));
  const others = Array.from({ length: 6 }, (_, index) => contentOf(noise(16, between + index)));
  return Buffer.concat(others.flatMap((other) => [other, same]));
}

test('a window is the same bytes whatever its encoder made before, also where two matches are equally near', () => {
  const folder = temporaryFolder();
  const [basePath, newPath] = [join(folder, 'old'), join(folder, 'new')];
  const seeds = Array.from({ length: 50 }, (_, index) => index);
  writeFileSync(basePath, Buffer.concat(seeds.map((seed) => cells(seed, 1000 * seed))));
  const moved = seeds.flatMap((seed) => [contentOf(noise(18, seed + 77)), cells(seed, 1000 * seed + 500)]);
  writeFileSync(newPath, Buffer.concat(moved));
  const pairs = pairEntries(new PositionedFile(basePath), new PositionedFile(newPath));
  const { encoder } = openEncoder({ pairs, basePath, newPath, effort: 'default' });
  const [first, ...again] = [0, 0, 0, 0].map((start) => Buffer.from(encoder.encode(start)));
  for (const window of again) expect(window.equals(first!)).toBe(true);
});

test('an aborted run ends with the reason of the abort', async () => {
  const controller = new AbortController();
  controller.abort(new Error('stopped by hand'));
  await expect(encoded(Buffer.alloc(10), Buffer.alloc(20), { signal: controller.signal })).rejects.toThrow(
    'stopped by hand',
  );
});

test('progress adds up to the size of the new layer', async () => {
  let done = 0;
  const progress = { advance: (bytes: number) => void (done += bytes), end: () => undefined };
  await encoded(Buffer.alloc(10), Buffer.alloc(9_000_000), { progress });
  expect(done).toBe(9_000_000);
});
