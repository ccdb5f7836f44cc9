import { expect, test } from 'vitest';
import { percentSaved } from '../../../src/commands/build/buildReport.ts';
import { fullSize } from '../../../src/commands/build/planReport.ts';
import { digestOf } from '../../../src/oci/digest.ts';

test.each([
  [50, 100, 50],
  [10.6, 83.4, 87],
  [1, 100, 99],
  [6_660, 1_430_000, 99.5],
  [1, 10_000_000, 99.9],
])('%d bytes of %d save %d %%', (size, full, percent) => {
  expect(percentSaved(size, full)).toBe(percent);
});

/** An image whose layers have these names, each with its bytes at the registry. */
const image = (layers: Record<string, number | undefined>) => ({
  image: {
    image: {
      layers: Object.entries(layers).map(([name, size]) => {
        const digest = digestOf(Buffer.from(name.trim()));
        const descriptor = { mediaType: 'x', digest, size: size ?? 0 };
        return size === undefined ? { diffID: digest } : { diffID: digest, descriptor };
      }),
    },
  },
});

test.each([
  ['no image', [], 0],
  ['one image', [image({ a: 1, b: 2 })], 3],
  ['a layer twice in an image', [image({ a: 5, 'a ': 5 })], 5],
  ['a layer that two images share', [image({ a: 5, b: 1 }), image({ a: 5, c: 2 })], 13],
  ['a layer of unknown size', [image({ a: 5 }), image({ b: undefined })], undefined],
])('the size of a full artifact of %s', (_, images, size) => {
  expect(fullSize({ images })).toBe(size);
});
