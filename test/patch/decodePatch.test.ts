import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { IntegrityError } from '../../src/errors.ts';
import { decodePatch } from '../../src/patch/decodePatch.ts';
import { decoded, decodedByProgram, patchOf } from '../delta/patch/patches.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

const source = Buffer.from(Array.from({ length: 9000 }, (_, at) => (at * at) >> 5));
const target = Buffer.concat([
  source.subarray(3000),
  Buffer.from('new text'.repeat(50)),
  source.map((b) => b + 1),
]);

const changed = (bytes: Buffer, at: number): Buffer => {
  const copy = Buffer.from(bytes);
  copy[at]! ^= 1;
  return copy;
};

test.each([
  ['ends early', (patch: Buffer) => patch.subarray(0, -1), 'the patch ends early'],
  ['is cut in its header', (patch: Buffer) => patch.subarray(0, 50), 'the patch ends early'],
  [
    'has more bytes',
    (patch: Buffer) => Buffer.concat([patch, Buffer.of(0)]),
    'the patch is damaged: it does not end where the result ends',
  ],
  [
    'names another target',
    (patch: Buffer) => changed(patch, 20),
    'the result has another SHA-256: a source differs, or the patch is damaged',
  ],
  ['is no patch', (patch: Buffer) => changed(patch, 0), 'this is not a patch'],
  [
    'has another version',
    (patch: Buffer) => changed(patch, 7),
    'the patch has a version that this decoder does not know',
  ],
  [
    'asks for too much memory',
    (patch: Buffer) => Buffer.concat([patch.subarray(0, 8), Buffer.of(24), patch.subarray(9)]),
    'the patch is damaged: its header is out of bounds',
  ],
  [
    'has a coded part that begins wrongly',
    (patch: Buffer) => changed(patch, 92),
    'the patch is damaged: its coded part begins wrongly',
  ],
])('a patch that %s is refused by both decoders', async (_name, change, reason) => {
  const patch = await patchOf(temporaryFolder(), [source], target);
  const bytes = change(patch.bytes);
  await expect(decoded(bytes, [source])).rejects.toThrow(/^(?:reading|decoding) a patch: /);
  const { status, stderr, target: made } = decodedByProgram(bytes, patch.sources);
  expect({ status, stderr }).toEqual({ status: 1, stderr: `decoder: ${reason}\n` });
  expect(made.length).toBeLessThan(target.length);
});

test('another source is refused, and the result stays cut', async () => {
  const folder = temporaryFolder();
  const patch = await patchOf(folder, [source], target);
  const other = changed(source, 5000);
  await expect(decoded(patch.bytes, [other])).rejects.toThrow(IntegrityError);
  await patchOf(folder, [other], target);
  const { status, target: made } = decodedByProgram(patch.bytes, patch.sources);
  expect(status).toBe(1);
  expect(made.length).toBeLessThan(target.length);
});

test('openSource sees the header first, and may refuse it', async () => {
  const { bytes } = await patchOf(temporaryFolder(), [source], target);
  const pieces = decodePatch(Readable.from([bytes]), ({ target: { size }, sources }) => {
    expect({ size, sources: sources.map((one) => one.size) }).toEqual({
      size: target.length,
      sources: [9000],
    });
    throw new IntegrityError('refused');
  });
  await expect(pieces.next()).rejects.toThrow('refused');
});
