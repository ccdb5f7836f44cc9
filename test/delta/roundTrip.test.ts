import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { encodeBuiltin } from '../../src/delta/builtin/encode.ts';
import { makeDelta } from '../../src/delta/engine.ts';
import { EFFORTS } from '../../src/delta/layer.ts';
import { proveDelta } from '../../src/delta/proof.ts';
import { startsCompressed } from '../../src/delta/sniff.ts';
import { silentLog } from '../../src/io/log.ts';
import { temporaryFolder } from '../helpers/temporary.ts';
import { requireTool } from '../helpers/tools.ts';
import { layerAt, runs } from './files.ts';
import { type TarEntry, largeTarEntries, mutate, mutations, tarEntries, tarOfEntries } from './tars.ts';

beforeAll(() => requireTool('xdelta3'));

const common = { log: silentLog, workers: 1 } as const;

/** Two layers: one, and what became of it; or two that have nothing to do with each other. */
const pairs = fc.oneof(
  {
    weight: 4,
    arbitrary: fc
      .tuple(tarEntries, mutations)
      .map(([entries, changes]) => [tarOfEntries(entries), mutate(entries, changes)]),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(tarEntries, tarEntries).map(([from, to]) => [tarOfEntries(from), tarOfEntries(to)]),
  },
  { weight: 1, arbitrary: fc.tuple(fc.uint8Array({ maxLength: 3000 }), fc.uint8Array({ maxLength: 3000 })) },
) as fc.Arbitrary<[Uint8Array, Uint8Array]>;

test(
  'the builtin encoder and both decoders give back every layer, however it changed',
  { timeout: 3_600_000 },
  async () => {
    const folder = temporaryFolder();
    await fc.assert(
      fc.asyncProperty(pairs, fc.constantFrom(...EFFORTS), async ([old, fresh], effort) => {
        fc.pre(!startsCompressed(old));
        const from = layerAt(join(folder, 'old'), old);
        const to = layerAt(join(folder, 'new'), fresh);
        const delta = join(folder, 'delta');
        await encodeBuiltin(from, to, delta, { ...common, encoder: 'builtin', effort });
        await proveDelta(from, to, delta, common);
      }),
      { numRuns: runs(200) },
    );
  },
);

test('layers of many windows are given back as well', { timeout: 3_600_000 }, async () => {
  const folder = temporaryFolder();
  const large = fc.tuple(largeTarEntries, mutations, fc.constantFrom(...EFFORTS));
  await fc.assert(
    fc.asyncProperty(large, async ([entries, changes, effort]) => {
      const from = layerAt(join(folder, 'old'), tarOfEntries(entries));
      const to = layerAt(join(folder, 'new'), mutate(entries, changes));
      const options = { ...common, encoder: 'builtin', effort } as const;
      await makeDelta(from, to, join(folder, 'delta'), options);
    }),
    { numRuns: Math.ceil(runs(200) / 20) },
  );
});

test('the bytes of a delta depend neither on the number of workers nor on the run', async () => {
  const folder = temporaryFolder();
  await fc.assert(
    fc.asyncProperty(pairs, async ([old, fresh]) => {
      fc.pre(!startsCompressed(old));
      const from = layerAt(join(folder, 'old'), old);
      const to = layerAt(join(folder, 'new'), fresh);
      const deltas = [];
      for (const workers of [1, 1, 2]) {
        const delta = join(folder, `delta-${workers}`);
        await makeDelta(from, to, delta, { ...common, workers, encoder: 'auto', effort: 'default' });
        deltas.push(readFileSync(delta));
      }
      expect(deltas[1]).toEqual(deltas[0]);
      expect(deltas[2]).toEqual(deltas[0]);
    }),
    { numRuns: runs(10) },
  );
});

const file = (path: string, size: number, seed: number): TarEntry => ({
  path,
  type: 'file',
  naming: 'ustar',
  content: { kind: 'noise', seed, size },
  time: 1_700_000_000,
  flips: [],
});

test.each([
  ['equal layers', [file('a', 5000, 1)], [file('a', 5000, 1)], 200],
  ['a later time', [file('a', 5000, 1)], [{ ...file('a', 5000, 1), time: 1_700_000_009 }], 250],
  ['a renamed file', [file('a', 5000, 1)], [file('b', 5000, 1)], 250],
  [
    'shuffled files',
    [file('a', 5000, 1), file('b', 5000, 2), file('c', 5000, 3)],
    [file('c', 5000, 3), file('a', 5000, 1), file('b', 5000, 2)],
    300,
  ],
  ['flipped bytes', [file('a', 50_000, 1)], [{ ...file('a', 50_000, 1), flips: [70, 25_000] }], 300],
  ['a new file', [file('a', 5000, 1)], [file('a', 5000, 1), file('b', 1000, 2)], 1400],
])('every encoder makes a small delta of %s', async (_name, old, fresh, largest) => {
  const folder = temporaryFolder();
  const from = layerAt(join(folder, 'old'), tarOfEntries(old));
  const to = layerAt(join(folder, 'new'), tarOfEntries(fresh));
  for (const encoder of ['builtin', 'xdelta3', 'xdelta3-wasm'] as const) {
    const made = await makeDelta(from, to, join(folder, encoder), { ...common, encoder, effort: 'default' });
    expect(made).toMatchObject({ encoder });
    expect(made!.size, encoder).toBeLessThan(largest);
  }
});
