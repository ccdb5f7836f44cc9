import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import type { LayerFile } from '../../../src/delta/layer.ts';
import { encodePatch } from '../../../src/delta/patch/encodePatch.ts';
import { memoryOf, parsePatchHeader } from '../../../src/patch/format.ts';
import { buildArtifact } from '../../../src/mender/build.ts';
import type { PayloadImage } from '../../../src/mender/payload.ts';
import { digestOf } from '../../../src/oci/digest.ts';
import { parseReference } from '../../../src/oci/reference.ts';
import type { DecodedDelta } from '../../../src/pipeline/verify/deltas.ts';
import { decodeDeltas } from '../../../src/pipeline/verify/deltas.ts';
import { temporaryFolder } from '../../helpers/temporary.ts';
import { tarOf } from '../../helpers/tarball.ts';
import { layerAt } from '../../delta/files.ts';
import { alternatingPatch } from '../../delta/patch/alternating.ts';
import { artifactSpec, context, payloadImage } from '../../mender/fixtures.ts';

const folder = mkdtempSync(join(tmpdir(), 'mender-docker-delta-deltas-'));
afterAll(() => rmSync(folder, { recursive: true }));
const from = layerAt(join(folder, 'old'), tarOf({ a: 'old content'.repeat(100) }));
const to = layerAt(join(folder, 'new'), tarOf({ a: 'new content'.repeat(100) }));
const pair = { from, to };

/** What decoding says of an artifact with this patch of the layer. */
async function decode(
  body: Uint8Array,
  memory: number,
  { from, to }: { from: LayerFile; to: LayerFile } = pair,
): Promise<DecodedDelta | undefined> {
  const content = { kind: 'delta', format: 'patch', from: from.diffID, fromSize: from.size } as const;
  const layer = { ...to, content: { ...content, size: body.length, body, buffer: memory } };
  const current = parseReference('registry.example.com/shop/web:1.0');
  const images: PayloadImage[] = [payloadImage('web', [layer], { current })];
  const path = join(temporaryFolder(), 'it.mender');
  await buildArtifact(
    artifactSpec(images, { module: 'docker-compose', dependsOnVersion: '1' }),
    path,
    context,
  );
  const signal = new AbortController().signal;
  const wanted = new Map([['0', new Map([[to.diffID, { source: from, size: to.size, memory }]])]]);
  return (await decodeDeltas(path, wanted, { signal })).get('0')?.get(to.diffID);
}

async function patchOf(): Promise<Buffer> {
  await encodePatch([from], to, join(folder, 'patch'));
  return readFileSync(join(folder, 'patch'));
}

test('a patch that is right', async () => {
  const patch = await patchOf();
  const memory = memoryOf(parsePatchHeader(patch).header);
  expect(await decode(patch, memory)).toEqual({
    problem: undefined,
    sourceBytesRead: expect.any(Number) as number,
  });
});

test.each<[string, (patch: Buffer) => Uint8Array, string]>([
  ['of another layer', (patch) => Buffer.from(patch).fill(1, 52, 60), 'it was not made from'],
  ['that is flipped', (patch) => Buffer.from(patch).fill(9, patch.length - 20, patch.length - 10), 'a patch'],
  ['that is cut', (patch) => patch.subarray(0, -5), 'it ends early'],
  ['that is VCDIFF', () => Buffer.from([0xd6, 0xc3, 0xc4, 0, 0]), 'it is not a patch'],
  ['of a later version', (patch) => Buffer.from(patch).fill(9, 7, 8), 'version 9 is not known'],
])('a patch %s', async (_, change, problem) => {
  const patch = await patchOf();
  const found = await decode(change(patch), memoryOf(parsePatchHeader(patch).header));
  expect(found?.problem).toContain(problem);
});

test('a patch that makes another layer than the plan says', async () => {
  await encodePatch([from], layerAt(join(folder, 'other'), tarOf({ a: 'x' })), join(folder, 'wrong'));
  const found = await decode(readFileSync(join(folder, 'wrong')), 0);
  expect(found?.problem).toContain(`its patch makes ${digestOf(tarOf({ a: 'x' }))}`);
});

test('a patch that takes more memory than the plan says', async () => {
  const found = await decode(await patchOf(), 1000);
  expect(found?.problem).toMatch(/^its patch takes \d+ bytes of memory, the plan says 1000$/);
});

test('a patch that reads its base layer thousands of times', async () => {
  const { bytes, ...layers } = alternatingPatch(temporaryFolder());
  const found = await decode(bytes, memoryOf(parsePatchHeader(bytes).header), layers);
  expect(found?.problem).toMatch(/expected to read at most \d+ bytes of its base layer, and it takes more$/);
});
