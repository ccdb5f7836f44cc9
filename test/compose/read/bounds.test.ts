import { describe, expect, test } from 'vitest';
import { UsageError } from '../../../src/errors.ts';
import type { Case } from '../cases.ts';
import { readCase } from '../project.ts';

const WEB = 'services:\n  web:\n    image: x\n';
const lines = (count: number, line: (index: number) => string) =>
  Array.from({ length: count }, (_, index) => line(index)).join('\n') + '\n';
const variable = (text: string) => `${WEB}    environment:\n      X: "${text}"\n`;
const only = (text: string): Case => ({ files: { 'compose.yaml': text } });

/** Each file includes the next one twice. */
function doublingIncludes(depth: number): Case {
  const next = (level: number) => (level < depth ? `include: [i${level}.yaml, i${level}.yaml]\n` : '');
  const included = Array.from({ length: depth }, (_, level) => [
    `i${level}.yaml`,
    `${next(level + 1)}services: {s${level}: {image: x}}\n`,
  ]);
  return {
    files: { 'compose.yaml': next(0) + WEB, ...(Object.fromEntries(included) as Record<string, string>) },
  };
}

describe('a small project that would become huge is refused', () => {
  test.each<[string, Case, string]>([
    [
      'variables that triple',
      { files: { '.env': `A=${'x'.repeat(99)}\n${lines(16, () => 'A=$A$A$A')}`, 'compose.yaml': WEB } },
      '.env:11: the values are too long',
    ],
    [
      'a long variable in many values',
      {
        files: {
          '.env': `A=${'x'.repeat(4 << 20)}\n`,
          'compose.yaml': WEB + `    command: [${'$A, '.repeat(9)}x]\n`,
        },
      },
      'the texts of the project have more than',
    ],
    ['includes that double', doublingIncludes(13), 'the project reads more than 1000 files'],
    ['many documents', only(WEB + '---\n'.repeat(200_000)), 'more than 1000 documents'],
    ['many ends of documents', only(`${WEB}...\n${'a\n...\n'.repeat(650_000)}`), 'more than 1000 documents'],
    ...[
      ['values in brackets', `x-a: [${'a,'.repeat(1_000_000)}a]\n`],
      ['pairs of brackets', `x-a: [${'[],'.repeat(1_300_000)}a]\n`],
      ['list items', `x-a:\n${'- a\n'.repeat(1_000_000)}`],
      ['keys', `x-a:\n${lines(200_000, (index) => `  k${index}:`)}`],
      ['comments', '#\n'.repeat(2_000_000)],
      ['empty lines', '\n'.repeat(4_000_000)],
    ].map(([name = '', text = '']): [string, Case, string] => [
      `many ${name}`,
      only(WEB + text),
      'the Compose file has more than 400000 YAML tokens',
    ]),
    [
      'brackets in brackets',
      only(`${WEB}x-a: ${'['.repeat(9000)}${']'.repeat(9000)}\n`),
      'nested too deeply',
    ],
    ...[
      ['brackets that are not closed', `x-a: ${'['.repeat(9000)}`],
      ['braces that are not closed', `x-a: ${'{a: '.repeat(3000)}`],
      ['brackets after a text in quotes', `x-a: ["]", ${'['.repeat(3000)}`],
      ['a list of lists', `x-a: \n  ${'- '.repeat(3000)}a`],
      ['complex keys', `x-a:\n  ${'? '.repeat(3000)}a`],
      ['brackets in many lists', `x-a:\n  ${'- '.repeat(150)}${'['.repeat(150)}`],
    ].map(([name = '', text = '']): [string, Case, string] => [
      name,
      only(`${WEB}${text}\n`),
      `compose.yaml:${text.includes('\n') ? 5 : 4}: invalid YAML: it is nested too deeply`,
    ]),
    [
      'brackets without indentation',
      only(`${WEB}x-a:\n${'['.repeat(150)}\n${'['.repeat(150)}\n`),
      'compose.yaml:6: invalid YAML: it is nested too deeply',
    ],
    [
      'lines that are each indented more',
      only(`${WEB}${lines(2000, (index) => `${' '.repeat(index)}x-a:`)}`),
      'compose.yaml:204: invalid YAML: it is nested too deeply',
    ],
  ])('%s', async (_name, one, message) => {
    await expect(readCase(one)).rejects.toThrow(message);
    await expect(readCase(one)).rejects.toThrow(UsageError);
  });
});

describe('a large project is read', () => {
  const service = (index: number, more: string) => `  s${index}: {image: x${more}}`;
  test.each<[string, Case, number]>([
    ['2000 services', only(`services:\n${lines(2000, (index) => service(index, ''))}`), 2000],
    [
      'services that extend each other',
      only(
        `services:\n${lines(1200, (index) => service(index, index < 1199 ? `, extends: s${index + 1}` : ''))}`,
      ),
      1200,
    ],
    [
      'services that depend on each other',
      only(
        `services:\n${lines(1200, (index) => service(index, index < 1199 ? `, depends_on: [s${index + 1}]` : ''))}`,
      ),
      1200,
    ],
    [
      'services that extend one file',
      {
        files: {
          'compose.yaml': `services:\n${lines(300, (index) => `  s${index}: {extends: {file: b.yaml, service: b}}`)}`,
          'b.yaml': 'services: {b: {image: x}}\n',
        },
      },
      300,
    ],
    [
      'defaults in defaults',
      only(variable(`${'${A:-'.repeat(49)}${'x'.repeat(100_000)}${'}'.repeat(49)}`)),
      1,
    ],
    ['a long value in quotes', { files: { '.env': `A="${'x'.repeat(7 << 20)}"\n`, 'compose.yaml': WEB } }, 1],
    ['brackets in texts', only(`${WEB}x-a: "${'['.repeat(9000)}"\nx-b: a${'['.repeat(9000)}\n`), 1],
    ['brackets one after the other', only(`${WEB}x-a: [${'[[], {}], '.repeat(3000)}]\n`), 1],
    ['lists one after the other', only(`${WEB}x-a:\n${lines(3000, () => '- - a\n  - b: [1]\n    c: 2')}`), 1],
    [
      'many brackets without indentation',
      only(`${WEB}x-a:\n${lines(99, (index) => `  k${index}: [\na]`)}x-b:\n${lines(25_000, () => '- a: 1')}`),
      1,
    ],
    ['a key of many', only(`${WEB}x-a:\n${lines(20_000, (index) => `  k${index}: 1`)}`), 1],
  ])('%s', async (_name, one, services) => {
    expect((await readCase(one)).services).toHaveLength(services);
  });
});

describe('a NUL character in a path is the fault of the user', () => {
  test.each([
    'include: ["a\\0b"]\nservices: {web: {image: x}}\n',
    'services: {web: {extends: {file: "a\\0b", service: b}}}\n',
    'services: {web: {image: x, env_file: "a\\0b"}}\n',
    'services: {web: {image: x, volumes: ["./a\\0b:/c"]}}\n',
    'services: {web: {image: x, configs: [c]}}\nconfigs: {c: {file: "a\\0b"}}\n',
  ])('%j', async (text) => {
    await expect(readCase(only(text))).rejects.toThrow('a NUL character is not allowed');
    await expect(readCase(only(text))).rejects.toThrow(UsageError);
  });
});
