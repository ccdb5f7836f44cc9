import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { shop } from './faults/shop.ts';
import type { Shop } from './faults/shop.ts';
import { compiledSources } from './helpers/compiled.ts';

const ROOT = resolve(import.meta.dirname, '..');
/** What `scripts/lib/other-nodes` downloads. */
const VERSIONS = ['22', '24', '26'];

/**
 * Builds a full artifact and a delta with a Node.js, verifies the delta, and returns the bytes of
 * both.
 */
function releases(node: string, program: string, { folder, archive }: Shop): Buffer[] {
  const home = mkdtempSync(join(folder, 'home-'));
  const run = (...argv: string[]): void => {
    const env = { PATH: process.env['PATH'], HOME: home, TAG: argv.includes('2.0') ? '2' : '1' };
    execFileSync(node, ['--input-type=module', '-e', program, '--', ...argv], {
      cwd: join(folder, 'shop'),
      env,
      stdio: 'pipe',
    });
  };
  const [full, delta] = [join(home, 'full.mender'), join(home, 'delta.mender')];
  const offline = ['--mode', 'offline', '--no-upload', '--sbom'];
  run(
    'build',
    '.',
    '--artifact-version',
    '1.0',
    '-a',
    full,
    '-f',
    `web=${archive('1')}`,
    '--no-delta',
    ...offline,
  );
  run(
    'build',
    '.',
    '--artifact-version',
    '2.0',
    '-a',
    delta,
    '-f',
    `web=${archive('2')}`,
    '--base',
    full,
    ...offline,
  );
  run('verify', delta, '--base', full);
  return [full, delta, `${delta}.cdx.json`].map((path) => readFileSync(path));
}

describe('a newer Node.js', () => {
  let folder: string;
  let program: string;
  let application: Shop;
  let expected: Buffer[];
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'mender-docker-delta-nodes-'));
    const cli = join(compiledSources(folder), 'cli.js');
    program = `import { main } from ${JSON.stringify(cli)};
      process.exitCode = await main(process.argv.slice(1));`;
    application = shop(mkdirSync(join(folder, 'application'), { recursive: true }) ?? '');
    expected = releases(process.execPath, program, application);
  });

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it.each(VERSIONS)('%s makes the same bytes', (version) => {
    const node = join(ROOT, '.nodes', version);
    if (!existsSync(node)) throw new Error('no other Node.js here: run scripts/lib/other-nodes');
    expect(
      releases(node, program, application).map((bytes, index) => bytes.equals(expected[index]!)),
    ).toEqual([true, true, true]);
  });
});
