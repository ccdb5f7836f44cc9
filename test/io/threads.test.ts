import { readFileSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');

test('every thread is a file of its own in the package', async () => {
  const sources = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.ts'),
  );
  const started = sources.flatMap((name) =>
    [...readFileSync(join(ROOT, 'src', name), 'utf8').matchAll(/new Worker\(new URL\('\.\/(\w+)\.js'/g)].map(
      ([, thread]) => thread,
    ),
  );
  const { default: config } = (await import(join(ROOT, 'rolldown.config.js'))) as {
    default: { input: Record<string, string> };
  };
  const packed = Object.entries(config.input).filter(([name, path]) => basename(path) === `${name}.ts`);
  expect(packed.map(([name]) => name)).toEqual(expect.arrayContaining(started));
  expect(started).toContain('digestThread');
});
