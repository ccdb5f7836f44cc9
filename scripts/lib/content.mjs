// Real content for images: packages of the npm registry, unpacked and packed as layers.
import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { packLayer } from './images.mjs';

const run = promisify(execFile);

/**
 * A layer that holds one npm package below `path`; `work` is a folder for what is made on the way.
 */
export async function packageLayer(work, name, version, path) {
  const root = join(work, `${name}-${version}`);
  const target = join(root, path);
  mkdirSync(target, { recursive: true });
  const { stdout } = await run('npm', ['pack', '--silent', `${name}@${version}`], { cwd: work });
  const file = stdout.trim().split('\n').at(-1);
  await run('tar', ['-xzf', file, '-C', target, '--strip-components=1'], { cwd: work });
  return packLayer(root, `${root}.tar`);
}

/** A layer with the installed `dependencies` of an application: many small files. */
export async function dependenciesLayer(work, label, dependencies) {
  const root = join(work, `modules-${label}`);
  const app = join(root, 'app');
  mkdirSync(app, { recursive: true });
  writeFileSync(
    join(app, 'package.json'),
    JSON.stringify({ name: 'app', version: '1.0.0', private: true, dependencies }),
  );
  const flags = ['--ignore-scripts', '--omit=optional', '--no-audit', '--no-fund', '--loglevel=error'];
  await run('npm', ['install', ...flags], { cwd: app });
  return packLayer(root, `${root}.tar`);
}

/** A layer with one text file. */
export async function fileLayer(work, label, path, text) {
  const root = join(work, label);
  mkdirSync(join(root, path, '..'), { recursive: true });
  writeFileSync(join(root, path), text);
  return packLayer(root, `${root}.tar`);
}
