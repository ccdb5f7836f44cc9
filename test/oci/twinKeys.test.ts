import { expect, it } from 'vitest';
import { twinKey } from '../../src/oci/twinKeys.ts';

it.each<[string, string | undefined]>([
  ['{}', undefined],
  ['{"a":1,"b":{"a":1},"c":[{"a":1},{"a":2}]}', undefined],
  ['{"a":"\\"b\\":","b":"a","c":"{"}', undefined],
  ['{"a":1,"a":1}', 'a'],
  ['{"a":1,"A":2}', 'A'],
  ['[{"Config":"x","Layers":[],"config":"y"}]', 'config'],
  ['{"\\u0061":1,"A":2}', 'A'],
  ['{"config":1,"conﬁg":2}', undefined],
  ['{"layers":[],"layerſ":[]}', 'layerſ'],
  ['{"\u212ay":1,"ky":2}', 'ky'],
  // Labels and annotations are data: Go tells their keys apart.
  ['{"Labels":{"a":1,"A":2}}', undefined],
  ['{"annotations":{"a":1,"a":2}}', 'a'],
  ['{"labels":[{"a":1},{"a":1,"A":2}]}', 'A'],
])('the second of two keys in %s', (text, key) => {
  expect(twinKey(text)).toBe(key);
});

it('looks at the keys that are asked for', () => {
  const text = '{"author":1,"Author":2,"rootfs":{"diff_ids":[],"DIFF_IDS":[]}}';
  expect([twinKey(text, { only: ['rootfs'] }), twinKey(text, { only: ['diff_ids'] })]).toEqual([
    undefined,
    'DIFF_IDS',
  ]);
});
