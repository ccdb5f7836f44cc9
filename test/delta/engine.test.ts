import { execFile } from 'node:child_process';
import {
  appendFileSync,
  existsSync,
  readFileSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, test } from 'vitest';
import { encoderVersion, isProvedDelta, makeDelta } from '../../src/delta/engine.ts';
import { ENCODERS, type DeltaOptions, type LayerFile } from '../../src/delta/layer.ts';
import { proveDelta } from '../../src/delta/proof.ts';
import { digestByXdelta3 } from '../../src/delta/xdelta3.ts';
import { IntegrityError, ToolError, UsageError } from '../../src/errors.ts';
import { createLog, silentLog } from '../../src/io/log.ts';
import { digestOf } from '../../src/oci/digest.ts';
import { temporaryFolder } from '../helpers/temporary.ts';
import { requireTool } from '../helpers/tools.ts';
import { layerAt } from './files.ts';
import { contentOf, tarOfEntries } from './tars.ts';

beforeAll(() => requireTool('xdelta3'));

const OPTIONS: DeltaOptions = { encoder: 'auto', effort: 'default', workers: 1, log: silentLog };
const noise = (seed: number, size: number): Buffer => contentOf({ kind: 'noise', seed, size });

function layers(folder: string): { from: LayerFile; to: LayerFile; delta: string } {
  const shared = noise(1, 3_000_000);
  return {
    from: layerAt(join(folder, 'old.tar'), Buffer.concat([noise(2, 700_416), shared])),
    to: layerAt(join(folder, 'new.tar'), Buffer.concat([shared, noise(3, 5000)])),
    delta: join(folder, 'delta'),
  };
}

describe.each(ENCODERS)('the encoder %s', (encoder) => {
  const options = { ...OPTIONS, encoder };

  test('makes a delta that the stock tool decodes', async () => {
    const { from, to, delta } = layers(temporaryFolder());
    const made = await makeDelta(from, to, delta, options);
    const bytes = readFileSync(delta);
    expect(made).toEqual({ size: bytes.length, encoder });
    // xdelta3-wasm sees a MiB at a time, so that it loses what moved by more at the seams.
    expect(bytes.length).toBeLessThan(encoder === 'xdelta3-wasm' ? 60_000 : 6000);
    expect(bytes.subarray(0, 5).toString('hex')).toBe('d6c3c40000');
    const stock = await promisify(execFile)('xdelta3', ['-d', '-c', '-s', from.path, delta], {
      encoding: 'buffer',
      maxBuffer: 1 << 26,
    });
    expect(digestOf(stock.stdout)).toBe(to.diffID);
  });

  test('makes deltas of empty layers and to empty layers', async () => {
    const folder = temporaryFolder();
    const empty = layerAt(join(folder, 'empty'), Buffer.alloc(0));
    const full = layerAt(join(folder, 'full'), noise(4, 2_000_001));
    for (const [from, to] of [
      [empty, full],
      [full, empty],
      [empty, empty],
    ] as const) {
      expect(await makeDelta(from, to, join(folder, 'delta'), options)).toBeDefined();
    }
  });

  test('advances the progress by the size of the layer', async () => {
    const { from, to, delta } = layers(temporaryFolder());
    let done = 0;
    const progress = { advance: (bytes: number) => void (done += bytes), end: () => undefined };
    await makeDelta(from, to, delta, { ...options, progress });
    expect(done).toBe(to.size);
  });

  test('leaves nothing behind when it is interrupted', async () => {
    const { from, to, delta } = layers(temporaryFolder());
    const reason = new Error('interrupted');
    const abort = new AbortController();
    const making = makeDelta(from, to, delta, { ...options, signal: abort.signal });
    setImmediate(() => abort.abort(reason));
    await expect(making).rejects.toBe(reason);
    expect(existsSync(delta)).toBe(false);
  });

  test('says that the disk is full, and leaves nothing behind', async () => {
    const { from, to, delta } = layers(temporaryFolder());
    symlinkSync('/dev/full', delta);
    const making = makeDelta(from, to, delta, options);
    await expect(making).rejects.toThrow(UsageError);
    await expect(making).rejects.toThrow(/disk is full/);
    expect(existsSync(delta)).toBe(false);
  });
});

test.each([
  ['gzip', '1f8b0800'],
  ['bzip2', '425a6839'],
  ['xz', 'fd377a58'],
  ['compress', '1f9d9000'],
])('makes no delta of a source that starts like %s', async (_name, hex) => {
  const folder = temporaryFolder();
  const from = layerAt(join(folder, 'old'), Buffer.concat([Buffer.from(hex, 'hex'), noise(1, 900)]));
  const to = layerAt(join(folder, 'new'), noise(1, 900));
  expect(await makeDelta(from, to, join(folder, 'delta'), OPTIONS)).toBeUndefined();
  expect(existsSync(join(folder, 'delta'))).toBe(false);
});

test('makes a delta to a layer whose first file name starts like bzip2', async () => {
  const folder = temporaryFolder();
  const path = 'BZh91AY&SY';
  const content = { kind: 'noise', seed: 1, size: 900 } as const;
  const tar = tarOfEntries([{ path, type: 'file', naming: 'ustar', content, time: 0, flips: [] }]);
  const from = layerAt(join(folder, 'old'), noise(1, 900));
  for (const encoder of ENCODERS) {
    const to = layerAt(join(folder, 'new'), tar);
    expect(await makeDelta(from, to, join(folder, 'delta'), { ...OPTIONS, encoder })).toBeDefined();
  }
});

describe('a layer that is not what it should be', () => {
  const damages: [string, RegExp, (path: string) => void][] = [
    ['is gone', /is gone/, unlinkSync],
    ['was truncated', /expected \d+ bytes, found 1000/, (path) => truncateSync(path, 1000)],
    ['has grown', /expected \d+ bytes, found/, (path) => appendFileSync(path, 'x')],
    ['has other bytes', /expected sha256:.*found sha256:/, (path) => writeFileSync(path, flipped(path))],
  ];
  test.each(damages)('is refused: the source %s', async (_name, message, damage) => {
    const { from, to, delta } = layers(temporaryFolder());
    damage(from.path);
    await expectRefusal(makeDelta(from, to, delta, OPTIONS), message, delta);
  });

  test.each(damages)('is refused: the target %s', async (_name, message, damage) => {
    const { from, to, delta } = layers(temporaryFolder());
    damage(to.path);
    await expectRefusal(makeDelta(from, to, delta, OPTIONS), message, delta);
  });

  test('is refused when it changes meanwhile', async () => {
    const { from, to, delta } = layers(temporaryFolder());
    const progress = { advance: () => truncateSync(from.path), end: () => undefined };
    await expectRefusal(makeDelta(from, to, delta, { ...OPTIONS, progress }), /expected \d+ bytes/, delta);
  });

  function flipped(path: string): Buffer {
    const bytes = readFileSync(path);
    bytes[bytes.length >> 1]! ^= 1;
    return bytes;
  }

  async function expectRefusal(making: Promise<unknown>, message: RegExp, delta: string): Promise<void> {
    await expect(making).rejects.toThrow(message);
    await expect(making).rejects.toBeInstanceOf(IntegrityError);
    expect(existsSync(delta)).toBe(false);
  }
});

describe('the proof', () => {
  test('refuses a delta to another layer', async () => {
    const { from, to, delta } = layers(temporaryFolder());
    await makeDelta(from, to, delta, OPTIONS);
    const other = { ...to, diffID: digestOf('another') };
    await expect(proveDelta(from, other, delta, OPTIONS)).rejects.toThrow(IntegrityError);
  });

  test('refuses a delta of another source', async () => {
    const folder = temporaryFolder();
    const { from, to, delta } = layers(folder);
    await makeDelta(from, to, delta, OPTIONS);
    const other = layerAt(join(folder, 'other'), noise(9, from.size));
    await expect(proveDelta(other, to, delta, OPTIONS)).rejects.toThrow(/adler32/);
  });

  test('says in the log what a delta costs the device to read', async () => {
    const { from, to, delta } = layers(temporaryFolder());
    const lines: string[] = [];
    await makeDelta(from, to, delta, { ...OPTIONS, log: createLog('debug', (line) => lines.push(line)) });
    expect(lines.join('\n')).toMatch(
      new RegExp(`proved the delta of ${to.diffID}: ${to.size} bytes, read \\d+`),
    );
  });
});

test('xdelta3 that fails is a ToolError that ends with what it said', async () => {
  const { from, to, delta } = layers(temporaryFolder());
  const making = makeDelta(from, to, `${delta}/nowhere/delta`, { ...OPTIONS, encoder: 'xdelta3' });
  await expect(making).rejects.toThrow(ToolError);
  await expect(making).rejects.toThrow(/No such file or directory$/);
});

test('the version that a cache keeps a delta under names encoder and effort', () => {
  expect(encoderVersion({ encoder: 'auto', effort: 'default' })).toMatch(/^builtin-\d+-default$/);
  expect(encoderVersion({ encoder: 'xdelta3', effort: 'best' })).toMatch(/^xdelta3-\d+-best$/);
  expect(encoderVersion({ encoder: 'xdelta3-wasm', effort: 'fast' })).toMatch(/^xdelta3-wasm-\d+-fast$/);
});

describe('the proof of a delta that anybody may have made', () => {
  /** 16 bytes, which make 16 MiB of one letter (RUN). */
  const WINDOW = Buffer.from('000e8880800000010500580088808000', 'hex');

  /** A delta of 1 MiB that makes a TiB. */
  function endless(path: string): string {
    const windows = Array<Buffer>(1 << 16).fill(WINDOW);
    writeFileSync(path, Buffer.concat([Buffer.from('d6c3c40000', 'hex'), ...windows]));
    return path;
  }

  test('takes a right one', async () => {
    const { from, to, delta } = layers(temporaryFolder());
    await makeDelta(from, to, delta, OPTIONS);
    expect(await isProvedDelta(from, to, delta, OPTIONS)).toBe(true);
  });

  test('does not decode an endless one to its end', async () => {
    const { from, to, delta } = layers(temporaryFolder());
    const lines: string[] = [];
    const log = createLog('info', (line) => lines.push(line));
    expect(await isProvedDelta(from, to, endless(delta), { log })).toBe(false);
    expect(lines.join()).toMatch(/a shared delta of .* is wrong, and is made again: .*makes more than/);
  });

  test('ends xdelta3 if that makes more than the layer', async () => {
    const { from, delta } = layers(temporaryFolder());
    const decoding = digestByXdelta3(from, endless(delta), 20 << 20);
    await expect(decoding).rejects.toThrow(IntegrityError);
    await expect(decoding).rejects.toThrow(/xdelta3: it makes more than 20971520 bytes/);
  });

  test('does not blame the delta for a damaged base layer', async () => {
    const { from, to, delta } = layers(temporaryFolder());
    await makeDelta(from, to, delta, OPTIONS);
    writeFileSync(from.path, noise(5, from.size));
    const lines: string[] = [];
    const proving = isProvedDelta(from, to, delta, { log: createLog('info', (line) => lines.push(line)) });
    await expect(proving).rejects.toThrow(IntegrityError);
    await expect(proving).rejects.toThrow(`layer in ${from.path}: expected ${from.diffID}`);
    expect(lines).toEqual([]);
  });
});
