import { describe, expect, test } from 'vitest';
import { parseYaml } from '../../src/io/yaml.ts';

const many = (line: (index: number) => string): string =>
  Array.from({ length: 40_000 }, (_, index) => line(index)).join('');

describe('parseYaml', () => {
  test.each<[string, unknown]>([
    ['a: 1\nb: {a: 2}', { a: 1, b: { a: 2 } }],
    ['{"a": [1, null]}', { a: [1, null] }],
    ['- {a: 1}\n- {a: 2}', [{ a: 1 }, { a: 2 }]],
    ['a: &x {b: 1}\nc: *x', { a: { b: 1 }, c: { b: 1 } }],
    ['', null],
  ])('%j', (text, value) => expect(parseYaml(text)).toEqual(value));

  test.each([
    ['a: 1\nb: 2\na: 3', 'the key a is there twice, at line 3'],
    ['a:\n  - {b: 1, "b": 2}', 'the key b is there twice, at line 2'],
    ['a: [', 'line 1'],
    [`a:\n  ${'['.repeat(300)}`, 'it is nested too deeply at line 2'],
    ['a: 1\n---\nb: 2', 'multiple documents'],
    [`a: &x b\nc: [${'*x, '.repeat(2000)}]`, 'alias'],
  ])('%j is refused', (text, message) => expect(() => parseYaml(text)).toThrow(message));

  test.each([
    ['a block', many((index) => `k${index}:\n`)],
    ['brackets', `{${many((index) => `k${index}: 1, `)}}`],
  ])('reads 40,000 keys of %s in linear time', { timeout: 10_000 }, (_name, text) => {
    expect(Object.keys(parseYaml(text) as object)).toHaveLength(40_000);
  });
});
