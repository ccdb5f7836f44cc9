import { createRequire } from 'node:module';
import { expect, test } from 'vitest';
import { windowsAt } from '../../../src/delta/xdelta3Wasm/splice.ts';
import { LARGEST_PIECE, encodePiece } from '../../../src/delta/xdelta3Wasm/wasmModule.ts';
import { IntegrityError, ToolError } from '../../../src/errors.ts';
import { FILE_HEADER } from '../../../src/vcdiff/format.ts';
import { decode } from '../../vcdiff/decoding.ts';
import { contentOf } from '../tars.ts';

const require = createRequire(import.meta.url);
const noise = (seed: number, size: number): Buffer => contentOf({ kind: 'noise', seed, size });

test.each([
  [0, 0],
  [0, LARGEST_PIECE],
  [LARGEST_PIECE, 0],
  [1, LARGEST_PIECE],
  [LARGEST_PIECE, LARGEST_PIECE],
])('%i bytes of source and %i of target, incompressible, are encoded again and again', async (from, to) => {
  const [source, target] = [noise(1, from), noise(2, to)];
  for (let round = 0; round < 3; round++) {
    expect((await decode(await encodePiece(source, target), source)).equals(target)).toBe(true);
  }
});

test.each([
  [LARGEST_PIECE + 1, 1],
  [1, LARGEST_PIECE + 1],
])('%i bytes of source and %i of target are refused before they break it', async (from, to) => {
  await expect(encodePiece(noise(1, from), noise(2, to))).rejects.toBeInstanceOf(ToolError);
});

test('an instance that broke is replaced', async () => {
  const [source, target] = [noise(1, 5000), noise(1, 6000)];
  await encodePiece(source, target);
  // The same instance: the package keeps one in module scope.
  const shared = require('xdelta3-wasm') as {
    xd3_encode_memory: (target: Uint8Array, source: Uint8Array, largest: number, flags: number) => unknown;
  };
  expect(() => shared.xd3_encode_memory(noise(3, 10_000_000), noise(4, 10_000_000), 11_000_000, 0)).toThrow();
  expect((await decode(await encodePiece(source, target), source)).equals(target)).toBe(true);
});

test('windows of a piece are moved to where the piece is', async () => {
  const source = Buffer.concat([noise(1, 70_000), noise(2, 5000)]);
  const target = Buffer.concat([noise(2, 5000), Buffer.from('more')]);
  const delta = await encodePiece(source.subarray(70_000), target);
  const moved = Buffer.concat([FILE_HEADER, ...windowsAt(delta, 70_000)]);
  expect((await decode(moved, source)).equals(target)).toBe(true);
  expect(moved.length).toBeLessThan(100);
  expect(() => windowsAt(Buffer.from('no delta at all'), 0)).toThrow(IntegrityError);
});
