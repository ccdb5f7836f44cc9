import { chmodSync, existsSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { makePatch } from '../../src/delta/engine.ts';
import type { LayerFile } from '../../src/delta/layer.ts';
import { decodePatchToDigest } from '../../src/delta/patchJob.ts';
import { IntegrityError, ToolError } from '../../src/errors.ts';
import { silentLog } from '../../src/io/log.ts';
import { ownDecoderPath } from '../../src/mender/onDevice/carriedDecoder.ts';
import { identityPatch } from '../../src/patch/identityPatch.ts';
import { compiledSources } from '../helpers/compiled.ts';
import { temporaryFolder } from '../helpers/temporary.ts';
import { layerAt } from './files.ts';
import { contentOf } from './tars.ts';

const options = { log: silentLog, decoder: ownDecoderPath() };
const noise = (seed: number, size: number): Buffer => contentOf({ kind: 'noise', seed, size });

function layers(): { from: LayerFile; to: LayerFile; patch: string; folder: string } {
  const folder = temporaryFolder();
  const shared = noise(1, 100_000);
  return {
    folder,
    from: layerAt(join(folder, 'old.tar'), Buffer.concat([noise(2, 5000), shared])),
    to: layerAt(join(folder, 'new.tar'), Buffer.concat([shared, noise(3, 300)])),
    patch: join(folder, 'patch'),
  };
}

/** A program in the place of a decoder. */
function program(folder: string, lines: string): string {
  const path = join(folder, 'program');
  writeFileSync(path, `#!/bin/sh\n[ "$1" != test ] || exit 0\n${lines}\n`);
  chmodSync(path, 0o755);
  return path;
}

async function* bytesOf(path: string): AsyncGenerator<Uint8Array> {
  yield* once(readFileSync(path));
}

describe('a patch', () => {
  test('is made, proved, and small', async () => {
    const { from, to, patch } = layers();
    const size = await makePatch(from, to, patch, options);
    expect(size).toBe(readFileSync(patch).length);
    expect(size).toBeLessThan(600);
    expect((await decodePatchToDigest(bytesOf(patch), from, to.size)).digest).toBe(to.diffID);
  });

  test('is the same from a thread', async () => {
    const { from, to, patch } = layers();
    await makePatch(from, to, patch, options);
    const other = `${patch}-2`;
    const compiled = (await import(join(compiledSources(), 'delta/engine.js'))) as {
      makePatch: typeof makePatch;
    };
    await compiled.makePatch(from, to, other, options);
    expect(readFileSync(other).equals(readFileSync(patch))).toBe(true);
    const gone = { ...from, path: `${from.path}-gone` };
    await expect(compiled.makePatch(gone, to, other, options)).rejects.toThrow('is gone');
    const signal = AbortSignal.abort(new Error('stopped'));
    await expect(compiled.makePatch(from, to, other, { ...options, signal })).rejects.toThrow('stopped');
  });

  test.each([
    ['of another machine', 'exit 126'],
    ['that fails its test', 'exit 1'],
  ])('needs no decoder %s for its proof', async (_, lines) => {
    const { from, to, patch, folder } = layers();
    const decoder = program(folder, lines);
    writeFileSync(decoder, `#!/bin/sh\n${lines}\n`);
    expect(await makePatch(from, to, patch, { ...options, decoder })).toBeLessThan(600);
    const missing = { ...options, decoder: join(folder, 'missing') };
    expect(await makePatch(from, to, patch, missing)).toBeLessThan(600);
  });

  test.each([
    ['makes something else', 'echo other', IntegrityError, /proving a patch with .*program: expected sha256/],
    ['says no', 'echo "decoder: no" >&2; exit 1', ToolError, /proving a patch with .*program: decoder: no$/],
  ])('is not made if the decoder of devices %s', async (_, lines, Class, message) => {
    const { from, to, patch, folder } = layers();
    const made = makePatch(from, to, patch, { ...options, decoder: program(folder, lines) });
    const error: unknown = await made.catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(Class);
    expect((error as Error).message).toMatch(message);
    expect(existsSync(patch)).toBe(false);
  });

  test('is not made of layers that are too large', async () => {
    const { from, to, patch } = layers();
    truncateSync(to.path, 2 ** 31);
    expect(await makePatch(from, { ...to, size: 2 ** 31 }, patch, options)).toBeUndefined();
  });

  test('is not made from a damaged base layer', async () => {
    const { from, to, patch } = layers();
    writeFileSync(from.path, readFileSync(from.path).fill(0, 100, 200));
    await expect(makePatch(from, to, patch, options)).rejects.toThrow(`expected ${from.diffID}`);
    expect(existsSync(patch)).toBe(false);
  });
});

test.each([0, 1, 511, 70_000, 5_000_000])('a layer of %i bytes is copied whole', async (size) => {
  const layer = layerAt(join(temporaryFolder(), 'layer'), noise(5, size));
  const path = `${layer.path}.patch`;
  writeFileSync(path, identityPatch({ digest: layer.diffID, size }));
  expect(readFileSync(path).length).toBeLessThan(110);
  expect((await decodePatchToDigest(bytesOf(path), layer, size)).digest).toBe(layer.diffID);
});

describe('a patch is refused', () => {
  test.each<
    [
      string,
      (patch: Buffer, layers: { from: LayerFile; to: LayerFile }) => Parameters<typeof decodePatchToDigest>,
    ]
  >([
    ['of another base layer', (patch, { to }) => [once(patch), to, to.size]],
    ['that makes too much', (patch, { from, to }) => [once(patch), from, to.size - 1]],
    [
      'that is flipped',
      (patch, { from, to }) => [once(patch.fill(7, patch.length - 60, patch.length - 50)), from, to.size],
    ],
    ['that is cut', (patch, { from, to }) => [once(patch.subarray(0, -20)), from, to.size]],
    [
      'that goes on behind its end',
      (patch, { from, to }) => [once(Buffer.concat([patch, patch])), from, to.size],
    ],
    ['that is VCDIFF', (_, { from, to }) => [once(Buffer.from([0xd6, 0xc3, 0xc4, 0, 0])), from, to.size]],
    ['that is empty', (_, { from, to }) => [once(Buffer.alloc(0)), from, to.size]],
  ])('%s', async (_, argumentsOf) => {
    const { from, to, patch } = layers();
    await makePatch(from, to, patch, options);
    await expect(decodePatchToDigest(...argumentsOf(readFileSync(patch), { from, to }))).rejects.toThrow(
      IntegrityError,
    );
  });
});

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(bytes);
}
