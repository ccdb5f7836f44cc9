import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { Solution } from '../../../src/cache/shared/solution.ts';
import { readSolution, signSolution, solutionName } from '../../../src/cache/shared/solution.ts';
import { IntegrityError } from '../../../src/errors.ts';
import { digestOf } from '../../../src/oci/digest.ts';

const [a, b, c] = ['a', 'b', 'c'].map((text) => digestOf(text)) as [
  Solution['base'][0],
  Solution['base'][0],
  Solution['base'][0],
];
const question = { base: [a, b], image: [a, c], changed: [c], encoder: 'builtin-3-default' };
const solution: Solution = {
  version: 1,
  ...question,
  deltas: [{ to: c, from: b, fromSize: 10, digest: digestOf('delta'), size: 5 }],
  sizes: [
    { diffID: a, size: 1 },
    { diffID: c, size: 2 },
  ],
};
const ed25519 = generateKeyPairSync('ed25519');

describe('a solution', () => {
  test.each([
    ['ed25519', ed25519],
    ['RSA', generateKeyPairSync('rsa', { modulusLength: 2048 })],
    ['P-256', generateKeyPairSync('ec', { namedCurve: 'prime256v1' })],
  ])('is read with the key that signed it, %s', (_, { privateKey, publicKey }) => {
    expect(readSolution(signSolution(solution, privateKey), question, publicKey)).toEqual(solution);
  });

  test.each<[string, Partial<Solution>, RegExp]>([
    ['other base layers', { base: [a] }, /about other layers/],
    ['another order', { image: [c, a] }, /about other layers/],
    ['another encoder', { encoder: 'builtin-3-best' }, /about other layers/],
    ['a delta of a strange layer', { deltas: [{ ...solution.deltas[0]!, from: c }] }, /lacks layers/],
    ['a delta for a strange layer', { deltas: [{ ...solution.deltas[0]!, to: a }] }, /lacks layers/],
    ['a missing size', { sizes: [{ diffID: a, size: 1 }] }, /lacks layers/],
    ['another version', { version: 2 as 1 }, /version 1/],
    ['a negative size', { sizes: [{ diffID: a, size: -1 }] }, /version 1/],
  ])('with %s is refused', (_, change, message) => {
    const text = signSolution({ ...solution, ...change }, ed25519.privateKey);
    const read = (): Solution => readSolution(text, question, ed25519.publicKey);
    expect(read).toThrow(IntegrityError);
    expect(read).toThrow(message);
  });

  test('signed with another key is refused', () => {
    const { publicKey } = generateKeyPairSync('ed25519');
    const text = signSolution(solution, ed25519.privateKey);
    expect(() => readSolution(text, question, publicKey)).toThrow(/not signed with the key/);
  });

  test('has a name for each question and key', () => {
    const others = [
      { ...question, base: [b, a] },
      { ...question, changed: [] },
      { ...question, encoder: 'x' },
    ];
    const names = [question, ...others].map((one) => solutionName(one, ed25519.publicKey));
    expect(new Set(names).size).toBe(4);
    expect(solutionName(question, ed25519.privateKey)).toBe(names[0]);
    expect(names).not.toContain(solutionName(question, generateKeyPairSync('ed25519').publicKey));
  });
});
