import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { makePatch } from '../../src/delta/engine.ts';
import { decodePatchToDigest } from '../../src/delta/patchJob.ts';
import type { LayerFile } from '../../src/delta/layer.ts';
import { encodePatch } from '../../src/delta/patch/encodePatch.ts';
import { UnsupportedError } from '../../src/errors.ts';
import { silentLog } from '../../src/io/log.ts';
import { temporaryFolder } from '../helpers/temporary.ts';
import { layerAt, runs } from './files.ts';
import { alternatingPatch } from './patch/alternating.ts';
import { NATIVE } from './patch/patches.ts';
import { contentOf, largeTarEntries, mutate, mutations, shuffled, tarOfEntries } from './tars.ts';

const noise = (seed: number, size: number): Buffer => contentOf({ kind: 'noise', seed, size });

function edited(bytes: Buffer, distance: number): Buffer {
  const copy = Buffer.from(bytes);
  for (let at = 100; at < copy.length; at += distance) copy[at]! ^= 5;
  return copy;
}

/** Makes the patch of two layers, and says what decoding it reads of the first one. */
async function readsOf(source: Buffer, target: Buffer): Promise<{ own: number; device: number }> {
  const folder = temporaryFolder();
  const patch = join(folder, 'patch');
  const [from, to] = [layerAt(join(folder, 'old'), source), layerAt(join(folder, 'new'), target)];
  await encodePatch([from], to, patch);
  const { sourceBytesRead } = await decodePatchToDigest(bytesOf(patch), from, to.size);
  return { own: sourceBytesRead, device: readsOnDevice(from, patch) };
}

function bytesOf(path: string): Readable {
  return Readable.from([readFileSync(path)]);
}

/** What the kernel counts of a shell whose only program is the decoder, but for the patch. */
function readsOnDevice(from: LayerFile, patch: string): number {
  const script =
    'read_bytes() { while read -r name count; do [ "$name" != rchar: ] || echo "$count"; done < "/proc/$$/io"; }\n' +
    'read_bytes; "$0" decode "$1" < "$2" > /dev/null || exit; read_bytes';
  const { status, stdout } = spawnSync('sh', ['-c', script, NATIVE, from.path, patch], { encoding: 'utf8' });
  expect(status).toBe(0);
  const [before = 0, after = 0] = stdout.split('\n').map(Number);
  return after - before - readFileSync(patch).length;
}

const large = noise(1, 3 << 20);

test.each<[string, Buffer]>([
  ['small edits', edited(large, 700)],
  ['parts in another order', Buffer.concat([large.subarray(1 << 20), large.subarray(0, 1 << 20)])],
  ['small records in another order', shuffled(large, 512)],
  ['new bytes', Buffer.concat([noise(7, 1000), large, noise(8, 1000)])],
])('what is counted for %s is what a device reads', async (_, target) => {
  const { own, device } = await readsOf(large, target);
  expect(own / device).toBeCloseTo(1, 1);
});

test('edits all over a layer read it once', async () => {
  const { own } = await readsOf(large, edited(large, 700));
  expect(own / large.length).toBeCloseTo(1, 2);
});

test('patches of changed tars read less than twice their layers', { timeout: 180_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(fc.tuple(largeTarEntries, mutations), async ([entries, changes]) => {
      const [source, target] = [tarOfEntries(entries), mutate(entries, changes)];
      const { own } = await readsOf(source, target);
      expect(own).toBeLessThanOrEqual(2 * (source.length + target.length));
    }),
    { numRuns: Math.ceil(runs(25) / 5) },
  );
});

test('a patch that makes its decoder read all over the layer is refused', async () => {
  const { from, to, bytes } = alternatingPatch(temporaryFolder());
  const decoded = decodePatchToDigest(Readable.from([bytes]), from, to.size);
  await expect(decoded).rejects.toThrow(UnsupportedError);
  await expect(decoded).rejects.toThrow(
    `expected to read at most ${32 * (from.size + to.size)} bytes of its base layer, and it takes more`,
  );
});

test('a patch that names another size of its layer is refused, as it would allow more reads', async () => {
  const { from, to, bytes } = alternatingPatch(temporaryFolder(), 2 ** 40);
  await expect(decodePatchToDigest(Readable.from([bytes]), from, to.size)).rejects.toThrow(
    `expected a base layer of ${2 ** 40} bytes, found ${from.size}`,
  );
});

test('no patch is made that devices would read too much for', async () => {
  const folder = temporaryFolder();
  const from = layerAt(join(folder, 'old'), large);
  const to = layerAt(join(folder, 'new'), shuffled(large, 64));
  const warnings: string[] = [];
  const log = { ...silentLog, warning: (text: string) => warnings.push(text) };
  const patch = join(folder, 'patch');
  writeFileSync(patch, 'an earlier try');
  expect(await makePatch(from, to, patch, { log })).toBeUndefined();
  expect(existsSync(patch)).toBe(false);
  expect(warnings).toEqual([
    expect.stringMatching(
      new RegExp(`^layer ${to.diffID} gets no patch: .*expected to read at most \\d+ bytes`),
    ),
  ]);
});
