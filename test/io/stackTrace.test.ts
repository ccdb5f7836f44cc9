import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { rolldown } from 'rolldown';
import { expect, test } from 'vitest';
import { sourceStack } from '../../src/io/stackTrace.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

async function bundle(source: string): Promise<string> {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'thrower.ts'), source);
  const bundled = await rolldown({ input: join(folder, 'thrower.ts'), logLevel: 'silent' });
  await bundled.write({ dir: join(folder, 'out'), sourcemap: 'hidden', sourcemapExcludeSources: true });
  return pathToFileURL(join(folder, 'out/thrower.js')).href;
}

test('a position in a bundle becomes the position in its source', async () => {
  const source = [
    'interface Gone { a: string }',
    'type AlsoGone = Gone;',
    'export const fail = (_: AlsoGone): void => {',
    "  throw new Error('here');",
    '};',
    '',
  ].join('\n');
  const address = await bundle(source);
  const { fail } = (await import(/* @vite-ignore */ address)) as { fail: (value: object) => void };
  const stack = stackOf(() => fail({}));
  expect(stack).toContain('/out/thrower.js:');
  expect(sourceStack(stack)).toMatch(/thrower\.ts:4:\d+/);
  expect(sourceStack(stack)).not.toContain('/out/thrower.js:');
});

test.each([
  ['a file without a map', 'Error: x\n    at main (file:///nowhere/cli.js:3:7)'],
  ['a part of Node.js', 'Error: x\n    at node:internal/process/task_queues:95:5'],
  ['no stack', 'Error: x'],
])('%s stays as it is', (_, stack) => {
  expect(sourceStack(stack)).toBe(stack);
});

function stackOf(work: () => void): string {
  try {
    work();
  } catch (error) {
    return (error as Error).stack!;
  }
  throw new Error('nothing was thrown');
}
