import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { randomNumbers } from '../faults/tally.ts';
import { mutated } from './mutate.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const folder = mkdtempSync(join(tmpdir(), 'fuzz-test-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Result {
  figures: {
    readers: { name: string; tried: number; survived: number; refused: number; lost: number }[];
  };
}

describe('every reader of foreign input', () => {
  it('takes or refuses changed inputs', { timeout: 600_000 }, () => {
    const output = join(folder, 'figures.json');
    const lost = join(folder, 'lost');
    const seed = String(Math.floor(Date.now() / 1000));
    const { status, stderr } = spawnSync(
      join(ROOT, 'scripts/fuzz'),
      ['--seconds', '20', '--seed', seed, '--output', output, '--lost', lost],
      { encoding: 'utf8' },
    );
    expect({ seed, status, stderr }).toMatchObject({ status: 0, stderr: '' });
    const { readers } = (JSON.parse(readFileSync(output, 'utf8')) as Result).figures;
    expect(readers.length).toBeGreaterThan(10);
    for (const { name, tried, survived, refused } of readers) {
      expect({ name, lost: tried - survived }).toEqual({ name, lost: 0 });
      // Inputs that are all taken, or all refused, would not reach the reader.
      expect({ name, tried: tried > 5, refused: refused < tried }).toEqual({
        name,
        tried: true,
        refused: true,
      });
    }
    expect(readdirSync(folder)).not.toContain('lost');
  });
});

describe('a changed input', () => {
  const inputs = [Buffer.from('one input'), Buffer.alloc(2000, 'x')];

  it('is the same for the same seed, and another for another', () => {
    const [one, same, other] = [1, 1, 2].map((seed) => {
      const random = randomNumbers(seed);
      return Array.from({ length: 100 }, () => mutated(inputs, random).toString('hex')).join();
    });
    expect(same).toBe(one);
    expect(other).not.toBe(one);
  });

  it('leaves the inputs as they are', () => {
    const random = randomNumbers(3);
    for (let round = 0; round < 1000; round++) mutated(inputs, random);
    expect(inputs).toEqual([Buffer.from('one input'), Buffer.alloc(2000, 'x')]);
  });
});
