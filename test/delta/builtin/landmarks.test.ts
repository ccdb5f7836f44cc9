import { expect, test } from 'vitest';
import { eachLandmark } from '../../../src/delta/builtin/landmarks.ts';
import { contentOf } from '../tars.ts';

const noise = contentOf({ kind: 'noise', seed: 1, size: 300_000 });

function landmarks(bytes: Uint8Array, start: number, end: number, bits: number): string[] {
  const found: string[] = [];
  eachLandmark(bytes, start, end, bits, (sum, at) => found.push(`${at - start} ${sum}`));
  return found;
}

test.each([
  [7, 300_000 / 2 ** 7],
  [8, 300_000 / 2 ** 8],
  [10, 300_000 / 2 ** 10],
])('one in 2^%i positions is a landmark', (bits, expected) => {
  const { length } = landmarks(noise, 0, noise.length, bits);
  expect(length).toBeGreaterThan(expected * 0.8);
  expect(length).toBeLessThan(expected * 1.2);
});

test.each([1, 2, 15, 16, 17, 16_384, 20_001])('landmarks move with their bytes, by %i', (by) => {
  const moved = Buffer.concat([new Uint8Array(by), noise]);
  expect(landmarks(moved, by, moved.length, 7)).toEqual(landmarks(noise, 0, noise.length, 7));
});

test.each([0, 1, 31])('%i bytes have none', (size) => {
  expect(landmarks(noise, 0, size, 7)).toEqual([]);
});

test('zeros have none', () => {
  expect(landmarks(new Uint8Array(100_000), 0, 100_000, 7)).toEqual([]);
});
