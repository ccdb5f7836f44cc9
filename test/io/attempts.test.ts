import { Readable } from 'node:stream';
import { expect, it } from 'vitest';
import { countedAttempts } from '../../src/io/streams.ts';

const CHUNKS = [Buffer.alloc(3), Buffer.alloc(5)];

it.each([
  ['the first attempt gets through', [2], [3, 5]],
  ['it breaks off after a chunk', [1, 2], [3, -3, 3, 5]],
  ['it breaks off at the very end', [2, 2], [3, 5, -8, 3, 5]],
  ['it does not even begin', [0, 2], [3, 5]],
])('counts each byte once where %s', async (_, attempts, counted) => {
  const seen: number[] = [];
  const open = countedAttempts(
    () => Readable.from(CHUNKS),
    (bytes) => seen.push(bytes),
  );
  for (const chunks of attempts) {
    const bytes = open();
    for (let read = 0; read < chunks; read++) await bytes.next();
    await bytes.return(undefined);
  }
  expect(seen).toEqual(counted);
});
