import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { UserError } from '../../../src/errors.ts';
import { decodePatch } from '../../../src/patch/decodePatch.ts';
import { runs } from '../../delta/files.ts';
import { damaged } from '../../delta/mutateBytes.ts';
import { temporaryFolder } from '../../helpers/temporary.ts';

const ROOT = join(import.meta.dirname, '../../..');
const FIXTURES = join(ROOT, 'fixtures/patch');
const SOURCE = join(FIXTURES, 'source.bin');
/** Both decoders stop after this many bytes. */
const MOST_BYTES = 1 << 20;

/** The decoder in C with sanitizers, which end the program at the first bad access. */
function buildProgram(folder: string): string {
  const program = join(folder, 'fuzzDecoder');
  const flags = ['-g', '-O1', '-fsanitize=address,undefined', '-fno-sanitize-recover=all'];
  const decoder = join(ROOT, 'src/mender/onDevice/decoder');
  execFileSync('clang-19', [
    ...flags,
    `-I${decoder}`,
    join(import.meta.dirname, 'fuzzDecoder.c'),
    '-o',
    program,
  ]);
  return program;
}

/** What the decoder in TypeScript says of a patch. A source may have any size: its bytes repeat. */
async function verdictOf(patch: Buffer, source: Buffer): Promise<'whole' | 'long' | 'refused'> {
  const read = (into: Uint8Array, position: number): void => {
    for (let at = 0; at < into.length; at++) into[at] = source[(position + at) % source.length]!;
  };
  let size = 0;
  try {
    for await (const piece of decodePatch(Readable.from([patch]), () => ({ read }))) {
      size += piece.length;
      if (size > MOST_BYTES) return 'long';
    }
    return 'whole';
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return 'refused';
  }
}

test(
  'both decoders refuse the same damaged patches, and neither breaks',
  { timeout: 3_600_000 },
  async () => {
    const folder = temporaryFolder();
    const names = readdirSync(FIXTURES).filter((name) => name.endsWith('.patch'));
    const patches = names.map((name) => readFileSync(join(FIXTURES, name)));
    const inputs = [...patches, ...fc.sample(damaged(patches, 100), { seed: 1, numRuns: runs(300) })];
    const paths = inputs.map((bytes, index) => {
      const path = join(folder, `${index}.patch`);
      writeFileSync(path, bytes);
      return path;
    });
    const output = execFileSync(buildProgram(folder), [SOURCE, ...paths], { encoding: 'utf8' });
    const said = output.trimEnd().split('\n');
    const source = readFileSync(SOURCE);
    const counts = { whole: 0, long: 0, refused: 0 };
    for (const [index, input] of inputs.entries()) {
      const verdict = await verdictOf(input, source);
      const reason = said[index]!;
      const inC = reason === 'whole' || reason === 'long' ? reason : 'refused';
      // A piece of the TypeScript decoder is larger, so the limit is reached at another byte.
      if (inC !== 'long') expect({ index, reason, verdict }).toEqual({ index, reason, verdict: inC });
      counts[verdict]++;
    }
    expect(counts.whole).toBeGreaterThanOrEqual(patches.length);
    expect(counts.refused).toBeGreaterThan(inputs.length / 2);
  },
);
