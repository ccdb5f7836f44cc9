import { describe, expect, test } from 'vitest';
import { parseIgnoreRules, readIgnoreFile } from '../../../src/compose/ship/ignoreFile.ts';
import { projectIn } from '../project.ts';

/** As Docker reads `.dockerignore`: rules, a path, and whether it is ignored. */
const TABLE: [rules: string, path: string, ignored: boolean | undefined][] = [
  ['a', 'a', true],
  ['a', 'a/b/c', true],
  ['a', 'b/a', undefined],
  ['/a/', 'a', true],
  ['./a/../b', 'b', true],
  ['*.md', 'x.md', true],
  ['*.md', 'sub/x.md', undefined],
  ['*/*.md', 'sub/x.md', true],
  ['**/*.md', 'x.md', true],
  ['**/*.md', 'a/b/x.md', true],
  ['a/**', 'a/b/c', true],
  ['a/**', 'b', undefined],
  ['a/**/z', 'a/z', true],
  ['a/**/z', 'a/b/c/z', true],
  ['?.txt', 'a.txt', true],
  ['?.txt', 'ab.txt', undefined],
  ['[a-c].txt', 'b.txt', true],
  ['[^a-c].txt', 'b.txt', undefined],
  ['[^a-c].txt', 'x.txt', true],
  ['[]a].txt', '].txt', true],
  ['[^]a].txt', 'b.txt', true],
  ['[^]a].txt', '].txt', undefined],
  ['a**b', 'a/x/yb', true],
  ['*a*a*b', 'aaaab', true],
  ['*a*a*b', 'aa/ab', undefined],
  ['a**/b', 'ab', true],
  ['a**/b', 'axb', undefined],
  ['*', 'a', true],
  ['**', 'a/b', true],
  ['\\*.txt', '*.txt', true],
  ['\\*.txt', 'a.txt', undefined],
  ['a.b', 'axb', undefined],
  ['a+(b)', 'a+(b)', true],
  ['# a', '# a', undefined],
  ['  a  ', 'a', true],
  ['\uFEFFa\r\nb\r\n', 'a', true],
  ['\n\n.\n/\n', 'a', undefined],
  ['*\n!a', 'a', false],
  ['*\n!a', 'b', true],
  ['a\n!a/b\na/b/c', 'a/b', false],
  ['a\n!a/b\na/b/c', 'a/b/c/d', true],
  ['!a\na', 'a', true],
  ['! a', 'a', false],
  ['ä*', 'äé', true],
];

/** As many lines of about 4 KB as an ignore file may have; none of them matches. */
function lines(pattern: string): string {
  return Array.from({ length: 15 }, (_, at) => `${pattern}${at}\n`).join('');
}

describe('an ignore file', () => {
  test.each(TABLE)('%j of %j: %s', (rules, path, ignored) => {
    expect(parseIgnoreRules(rules, '.menderignore').decide(path)).toBe(ignored);
  });

  test.each(['[a', 'a\n[z-a]', '[]'])('with the invalid pattern %j is refused', (rules) => {
    const line = rules.split('\n').length;
    expect(() => parseIgnoreRules(rules, '/p/.menderignore')).toThrow(
      new RegExp(`^/p/\\.menderignore:${line}: invalid pattern`),
    );
  });

  test.each([
    ['many stars', `d/${'*a'.repeat(12)}*b`, `d/${'a'.repeat(200)}`],
    ['many double stars', `${'**/*a'.repeat(12)}*b`, `d/${'a/'.repeat(100)}a`],
    ['the longest line', '*a'.repeat(2048), 'a'.repeat(255).concat('b')],
    ['brackets', '(*'.repeat(2048), '('.repeat(255)],
    ['long lines and a long path', lines('**a'.repeat(1360)), 'a/'.repeat(2000)],
    ['one double star in long lines', lines(`**${'a'.repeat(4080)}`), 'a'.repeat(4000)],
    ['the most patterns', '**a**b\n'.repeat(1000), 'a'.repeat(4000)],
    ['many classes', lines('**[a-z]'.repeat(580)), 'a/'.repeat(2000)],
  ])('with %s takes little time', { timeout: 5000 }, (_name, rules, path) => {
    expect(parseIgnoreRules(rules, '.menderignore').decide(path)).toBeUndefined();
  });

  test('with a very long line is refused', () => {
    expect(() => parseIgnoreRules(`a\n${'(*'.repeat(4096)}`, '/p/.menderignore')).toThrow(
      '/p/.menderignore:2: it has more than 4096 characters',
    );
  });

  test('with very many patterns is refused', () => {
    expect(() => parseIgnoreRules('a\n'.repeat(1001), '/p/.menderignore')).toThrow(
      '/p/.menderignore: it has more than 1000 patterns',
    );
  });

  test('that is very large is refused', async () => {
    const folder = projectIn({ '.menderignore': 'a\n'.repeat(1 << 20) });
    await expect(readIgnoreFile(folder)).rejects.toThrow('.menderignore has more than 65536 bytes');
  });

  test('knows if it has exceptions', () => {
    expect(parseIgnoreRules('a', '').hasExceptions).toBe(false);
    expect(parseIgnoreRules('a\n!b', '').hasExceptions).toBe(true);
  });
});
