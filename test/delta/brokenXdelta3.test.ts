import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { encodeBuiltin } from '../../src/delta/builtin/encode.ts';
import { isProvedDelta } from '../../src/delta/engine.ts';
import { createLog, silentLog } from '../../src/io/log.ts';
import { temporaryFolder } from '../helpers/temporary.ts';
import { layerAt } from './files.ts';

const path = process.env['PATH'];
afterAll(() => {
  process.env['PATH'] = path;
});

test('a shared delta is not called wrong if xdelta3 fails', async () => {
  const folder = temporaryFolder();
  // It says its version, and decodes nothing.
  const script = '#!/bin/sh\n[ "$1" = -V ] || { echo out of memory >&2; exit 1; }\n';
  writeFileSync(join(folder, 'xdelta3'), script, { mode: 0o755 });
  process.env['PATH'] = `${folder}:${path}`;
  const from = layerAt(join(folder, 'old'), Buffer.alloc(5000, 'some words'));
  const to = layerAt(join(folder, 'new'), Buffer.alloc(6000, 'some words'));
  const delta = join(folder, 'delta');
  await encodeBuiltin(from, to, delta, { encoder: 'auto', effort: 'default', workers: 1, log: silentLog });
  const lines: string[] = [];
  const log = createLog('info', (line) => lines.push(line));
  expect(await isProvedDelta(from, to, delta, { log })).toBe(false);
  expect(lines.join()).toMatch(/can't be checked, and is made again: .*out of memory/);
});
