import fc from 'fast-check';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../../helpers/temporary.ts';
import { runs } from '../files.ts';
import { largeTarEntries, mutate, mutations, tarEntries, tarOfEntries } from '../tars.ts';
import { decoded, decodedByProgram, patchOf } from './patches.ts';

/** Layers, and what became of the first one; or layers that have nothing to do with one another. */
const bytes = fc.uint8Array({ maxLength: 3000 });
const cases = fc.oneof(
  {
    weight: 4,
    arbitrary: fc
      .tuple(tarEntries, mutations, fc.array(tarEntries, { maxLength: 2 }))
      .map(([entries, changes, others]) => ({
        sources: [entries, ...others].map(tarOfEntries),
        target: mutate(entries, changes),
      })),
  },
  {
    weight: 1,
    arbitrary: fc.record({ sources: fc.array(bytes, { minLength: 1, maxLength: 3 }), target: bytes }),
  },
) as fc.Arbitrary<{ sources: Uint8Array[]; target: Uint8Array }>;

async function expectRoundTrip(folder: string, sources: Uint8Array[], target: Uint8Array): Promise<void> {
  const patch = await patchOf(folder, sources, target);
  expect((await decoded(patch.bytes, sources)).equals(target)).toBe(true);
  const { status, stderr, target: made } = decodedByProgram(patch.bytes, patch.sources);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(made.equals(target)).toBe(true);
}

test('both decoders give back every layer, however it changed', { timeout: 3_600_000 }, async () => {
  const folder = temporaryFolder();
  await fc.assert(
    fc.asyncProperty(cases, ({ sources, target }) => expectRoundTrip(folder, sources, target)),
    { numRuns: runs(25) },
  );
});

test('large layers are given back as well', { timeout: 3_600_000 }, async () => {
  const folder = temporaryFolder();
  await fc.assert(
    fc.asyncProperty(fc.tuple(largeTarEntries, mutations), ([entries, changes]) =>
      expectRoundTrip(folder, [tarOfEntries(entries)], mutate(entries, changes)),
    ),
    { numRuns: Math.ceil(runs(25) / 25) },
  );
});

test('a patch may arrive in chunks of any size', async () => {
  const folder = temporaryFolder();
  const source = Buffer.from('the quick brown fox jumps over the lazy dog\n'.repeat(500));
  const target = Buffer.concat([source.subarray(5000), Buffer.from('and sleeps'.repeat(90)), source]);
  const patch = await patchOf(folder, [source], target);
  for (const size of [1, 7, 100, 1 << 20]) {
    expect((await decoded(patch.bytes, [source], size)).equals(target)).toBe(true);
  }
});

test('the bytes of a patch depend only on the layers', async () => {
  const folder = temporaryFolder();
  await fc.assert(
    fc.asyncProperty(cases, async ({ sources, target }) => {
      const first = await patchOf(folder, sources, target);
      const again = await patchOf(folder, sources, target);
      expect(again.bytes.equals(first.bytes)).toBe(true);
    }),
    { numRuns: runs(4) },
  );
});
