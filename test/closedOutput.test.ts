import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { expect, it } from 'vitest';
import { compiledIn } from './faults/compile.ts';
import { temporaryFolder } from './helpers/temporary.ts';

it.each([
  ['stdout', 'stderr', 'cache ls', 0],
  ['stderr', 'stdout', 'cache nonsense', 2],
] as const)('runs to its end where nobody reads %s', async (closed, read, line, code) => {
  const [program, ...first] = compiledIn(temporaryFolder());
  const folder = temporaryFolder();
  const child = spawn(program, [...first, ...line.split(' ')], { env: { XDG_CACHE_HOME: folder } });
  child[closed].destroy();
  const said = text(child[read]);
  const [ended] = (await once(child, 'close')) as [number];
  expect([ended, await said]).toEqual([code, '']);
});
