import { execFileSync } from 'node:child_process';
import { createReadStream, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { BufferedReads, chooseBuffer } from '../../src/vcdiff/sourceReads.ts';
import { noise } from '../helpers/noise.ts';
import { temporaryFolder } from '../helpers/temporary.ts';
import { requireTool } from '../helpers/tools.ts';

const PART = 50_000;
const PARTS = 80;
const KIB = 1 << 10;
const MIB = 1 << 20;

const part = (number: number): Buffer => noise(PART, number);
const joined = (order: readonly number[]): Buffer => Buffer.concat(order.map(part));
const inOrder = Array.from({ length: PARTS }, (_, number) => number);

/** Orders of the parts of a layer of 4 MB: near and far moves. */
const orders: [string, number[], number][] = [
  ['in the same order', inOrder, 512 * KIB],
  ['with neighbours swapped', inOrder.map((number) => number ^ 1), 512 * KIB],
  ['all over the place', inOrder.map((number) => (number * 37) % PARTS), MIB],
];

describe.each(orders)('a layer %s', (_, order, needed) => {
  function prepared() {
    requireTool('xdelta3');
    const folder = temporaryFolder();
    const [from, to, delta] = [join(folder, 'from'), join(folder, 'to'), join(folder, 'delta')];
    writeFileSync(from, joined(inOrder));
    writeFileSync(to, joined(order));
    execFileSync('xdelta3', ['-e', '-A', '-S', 'none', '-B', String(64 * MIB), '-s', from, to, delta]);
    return { from, delta };
  }

  test.each([512 * KIB, 1 * MIB, 2 * MIB, 8 * MIB])('reads what xdelta3 reads with -B %d', (buffer) => {
    const { from, delta } = prepared();
    const line = `xdelta3 -d -c -B ${buffer} -s "$0" "$1" > /dev/null; sed -n "s/rchar: //p" /proc/$$/io`;
    const found = Number(execFileSync('sh', ['-c', line, from, delta], { encoding: 'utf8' }));
    const reads = new BufferedReads(PART * PARTS, buffer);
    for (const number of order) reads.read(Buffer.alloc(PART), number * PART);
    expect(found - reads.bytes).toBeGreaterThanOrEqual(0);
    // The loader, the shell and the delta are a few KB.
    expect(found - reads.bytes).toBeLessThan(buffer + 64 * KIB);
  });

  test('needs a small buffer', async () => {
    const { delta } = prepared();
    expect(await chooseBuffer(createReadStream(delta), PART * PARTS)).toBe(needed);
  });
});

test('a layer whose copies jump between many places needs a large buffer', async () => {
  requireTool('xdelta3');
  const folder = temporaryFolder();
  const [from, to, delta] = [join(folder, 'from'), join(folder, 'to'), join(folder, 'delta')];
  const content = joined(inOrder);
  writeFileSync(from, content);
  // Every 250th piece of 200 bytes, then every 250th beginning with the next, and so on.
  const pieces = Array.from(
    { length: 20_000 },
    (_, number) => ((number * 80) % 20_000) + Math.floor(number / 250),
  );
  writeFileSync(
    to,
    Buffer.concat(pieces.map((number) => content.subarray(number * 200, number * 200 + 200))),
  );
  execFileSync('xdelta3', ['-e', '-A', '-S', 'none', '-B', String(64 * MIB), '-s', from, to, delta]);
  expect(await chooseBuffer(createReadStream(delta), content.length)).toBe(4 * MIB);
});
