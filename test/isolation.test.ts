import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';

/** What other test files of the same worker would see. */
const CHANGES = /process\.env\[[^\]]+\] = |delete process\.env|process\.chdir\(|\bstubEnv\(/;

test('what changes the environment or the folder of its process runs in one of its own', () => {
  const config = readFileSync(join(import.meta.dirname, '../vitest.config.ts'), 'utf8');
  const isIsolated = (path: string): boolean =>
    [path, `${dirname(path)}/*.test.ts`].some((pattern) => config.includes(`'${pattern}'`));
  const changing = readdirSync(import.meta.dirname, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .filter((name) => CHANGES.test(readFileSync(join(import.meta.dirname, name), 'utf8')))
    .map((name) => `test/${name}`);
  expect(changing).toContain('test/git/repository.test.ts');
  expect(changing.filter((path) => !isIsolated(path))).toEqual([]);
});
