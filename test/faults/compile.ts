import { execFileSync } from 'node:child_process';
import { cpSync, symlinkSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Tool } from './tool.ts';

const ROOT = resolve(import.meta.dirname, '../..');

/** The command line tool as it is now, packed into `folder` as for users. */
export function compiledIn(folder: string): Tool {
  const rolldown = join(ROOT, 'node_modules/.bin/rolldown');
  execFileSync(rolldown, ['-c', '--logLevel', 'silent', '-d', join(folder, 'dist/bundle')], {
    cwd: ROOT,
    stdio: 'pipe',
  });
  for (const part of ['bin', 'package.json'])
    cpSync(join(ROOT, part), join(folder, part), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  return [process.execPath, join(folder, 'bin/mender-docker-delta.js')];
}
