import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeDelta } from '../../src/delta/engine.ts';
import type { DeltaOptions } from '../../src/delta/layer.ts';
import { ToolError } from '../../src/errors.ts';
import { silentLog } from '../../src/io/log.ts';
import { temporaryFolder } from '../helpers/temporary.ts';
import { layerAt } from './files.ts';

const path = process.env['PATH'];
beforeAll(() => {
  process.env['PATH'] = '/nonexistent';
});
afterAll(() => {
  process.env['PATH'] = path;
});

const OPTIONS: Omit<DeltaOptions, 'encoder'> = { effort: 'default', workers: 1, log: silentLog };

test.each(['auto', 'xdelta3-wasm'] as const)('the encoder %s needs no external program', async (encoder) => {
  const folder = temporaryFolder();
  const from = layerAt(join(folder, 'old'), Buffer.alloc(5000, 'some words'));
  const to = layerAt(join(folder, 'new'), Buffer.alloc(6000, 'some words'));
  const made = await makeDelta(from, to, join(folder, 'delta'), { ...OPTIONS, encoder });
  expect(made?.size).toBeLessThan(200);
});

test('the encoder xdelta3 says how to get it', async () => {
  const folder = temporaryFolder();
  const from = layerAt(join(folder, 'old'), Buffer.alloc(500));
  const making = makeDelta(from, from, join(folder, 'delta'), { ...OPTIONS, encoder: 'xdelta3' });
  await expect(making).rejects.toBeInstanceOf(ToolError);
  await expect(making).rejects.toMatchObject({
    hint: expect.stringContaining('apt-get install xdelta3') as string,
  });
});
