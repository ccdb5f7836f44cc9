import fc from 'fast-check';
import { spawnSync } from 'node:child_process';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { IntegrityError, UnsupportedError } from '../../src/errors.ts';
import { runs } from '../delta/files.ts';
import { damaged } from '../delta/mutateBytes.ts';
import { temporaryFolder } from '../helpers/temporary.ts';
import { requireTool } from '../helpers/tools.ts';
import { decode } from './decoding.ts';

const FIXTURES = new URL('../../fixtures/vcdiff/', import.meta.url);
const names = readdirSync(FIXTURES).filter((name) => name.endsWith('.vcdiff'));
const read = (name: string): Buffer => readFileSync(new URL(name, FIXTURES));
const source = read('source.bin');
const target = read('target.bin');

/** Of xdelta3 3.0, which reads no windows above 16 MiB. */
const LARGEST = 16 << 20;

test.each(names.filter((name) => !/secondary|windows|identity/.test(name)))(
  '%s makes the target',
  async (name) => {
    expect((await decode(read(name), source)).equals(target)).toBe(true);
  },
);

test('the other fixtures make what they should', async () => {
  const thrice = Buffer.concat([target, target, target]);
  expect((await decode(read('xdelta3-windows.vcdiff'), source)).equals(thrice)).toBe(true);
  expect((await decode(read('identity.vcdiff'), source)).equals(source)).toBe(true);
  await expect(decode(read('xdelta3-secondary.vcdiff'), source)).rejects.toBeInstanceOf(UnsupportedError);
});

/** The target, or undefined for a refusal; any other error fails the property. */
async function outcome(delta: Buffer, pieceSize: number): Promise<Buffer | undefined> {
  try {
    return await decode(delta, source, pieceSize, LARGEST);
  } catch (error) {
    if (error instanceof IntegrityError || error instanceof UnsupportedError) return undefined;
    throw error;
  }
}

test('a damaged delta is decoded or refused, whatever the damage', { timeout: 3_600_000 }, async () => {
  const deltas = damaged(names.map(read), 40);
  await fc.assert(
    fc.asyncProperty(deltas, fc.constantFrom(1, 13, 4096), async (delta, pieceSize) => {
      const made = await outcome(delta, pieceSize);
      expect(made?.length ?? 0).toBeLessThanOrEqual(LARGEST);
    }),
    { numRuns: runs(1500) },
  );
});

test(
  'what we decode, xdelta3 decodes alike; and what it decodes, we do',
  { timeout: 3_600_000 },
  async () => {
    const folder = temporaryFolder();
    const [sourcePath, deltaPath] = [join(folder, 'source'), join(folder, 'delta')];
    writeFileSync(sourcePath, source);
    const stock = (delta: Buffer): Buffer | undefined => {
      writeFileSync(deltaPath, delta);
      const run = spawnSync('xdelta3', ['-d', '-c', '-s', sourcePath, deltaPath], { maxBuffer: 1 << 28 });
      return run.status === 0 ? run.stdout : undefined;
    };
    const deltas = damaged(names.filter((name) => !name.includes('secondary')).map(read), 40);
    await fc.assert(
      fc.asyncProperty(deltas, async (delta) => {
        const [own, other] = [await outcome(delta, delta.length || 1), stock(delta)];
        if (other === undefined) expect(own).toBeUndefined();
        else if (own !== undefined) expect(own.equals(other)).toBe(true);
        else expect(other.length).toBeGreaterThan(LARGEST);
      }),
      { numRuns: runs(150) },
    );
  },
);

beforeAll(() => requireTool('xdelta3'));
