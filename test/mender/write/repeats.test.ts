import { describe, expect, it } from 'vitest';
import type { LayerContent, PayloadImage } from '../../../src/mender/payload.ts';
import { reachOf } from '../../../src/mender/write/repeats.ts';
import { digestOf } from '../../../src/oci/digest.ts';
import { parseReference } from '../../../src/oci/reference.ts';

const MIB = 1 << 20;
const diffID = digestOf('layer');
const delta = (body: string, size: number): LayerContent => ({
  kind: 'delta',
  from: diffID,
  fromSize: 20 * MIB,
  size: size * MIB,
  body,
});
const image = (...contents: LayerContent[]): PayloadImage => ({
  id: 'i',
  name: parseReference('a:1'),
  platform: { os: 'linux', architecture: 'amd64' },
  config: Buffer.from('{}'),
  layers: contents.map((content) => ({ diffID, size: 20 * MIB, content })),
});

describe('reachOf', () => {
  it.each([
    ['no image', [], 0],
    ['no repeat', [image(delta('a', 9)), image(delta('b', 9))], 0],
    [
      'a base layer of two images',
      [image(delta('base', 8), delta('a', 2)), image(delta('base', 8), delta('b', 1))],
      10,
    ],
    [
      'of three',
      [image(delta('base', 8), delta('a', 2)), image(delta('base', 8)), image(delta('base', 8))],
      10,
    ],
    ['whole layers', [image({ kind: 'full', path: 'base' }), image({ kind: 'full', path: 'base' })], 20],
    ['a near repeat', [image(delta('base', 4)), image(delta('base', 4))], 0],
    ['a repeat that none does', [image(delta('base', 20), delta('a', 20)), image(delta('base', 20))], 0],
    ['a small repeat', [image(delta('base', 1), delta('a', 20)), image(delta('base', 1))], 0],
    [
      'omitted layers and bytes between',
      [
        image(delta('base', 8), { kind: 'omit' }),
        image(
          { kind: 'delta', from: diffID, fromSize: 20, size: 10, body: Buffer.alloc(10) },
          delta('base', 8),
        ),
      ],
      8 + 10 / MIB,
    ],
  ] as const)('%s', (_, images, mebibytes) => {
    expect(reachOf(images)).toBe(mebibytes * MIB);
  });
});
