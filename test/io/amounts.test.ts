import { expect, test } from 'vitest';
import { amountOf } from '../../src/io/amounts.ts';

test.each([
  [0, 'service', undefined, '0 services'],
  [1, 'service', undefined, '1 service'],
  [2, 'service', undefined, '2 services'],
  [1, 'entry', 'entries', '1 entry'],
  [3, 'entry', 'entries', '3 entries'],
])('%d of %s', (count, noun, plural, text) => {
  expect(amountOf(count, noun, plural)).toBe(text);
});
