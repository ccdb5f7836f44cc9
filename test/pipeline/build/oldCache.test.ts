import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { readArtifact } from '../../../src/mender/read/read.ts';
import { RECORD_KEY } from '../../../src/mender/record.ts';
import { runCli } from '../../helpers/cli.ts';
import { temporaryFolder } from '../../helpers/temporary.ts';

/**
 * Two builds of version 0.1.0: its cache, and the artifacts `1.mender` (full) and `2.mender` (a
 * delta to 1).
 */
const FIXTURE = resolve(import.meta.dirname, '../../../fixtures/cache-v1.tar.gz');
/** The registry that the images came from. Nothing listens there. */
const REGISTRY = '127.0.0.1:39931';

test('a cache folder of version 0.1.0 is used as it is, and gives the same artifacts', async () => {
  const folder = temporaryFolder();
  execFileSync('tar', ['-xzf', FIXTURE], { cwd: folder });
  const kept = contents(join(folder, 'cache'));
  mkdirSync(join(folder, 'shop'));
  for (const [version, more] of [
    ['1', ['--no-delta']],
    ['2', ['--base', join(folder, '1.mender')]],
  ] as const) {
    const compose = `services:\n  web:\n    image: ${REGISTRY}/shop/web:${version}\n`;
    writeFileSync(join(folder, 'shop/docker-compose.yaml'), compose);
    const path = join(folder, `new-${version}.mender`);
    const { code, stderr } = await runCli(
      [
        ...['build', join(folder, 'shop'), '-t', 'dev', '-p', 'linux/amd64', '-m', 'shop', '--no-upload'],
        ...['--artifact-version', version, '--writer', 'embedded', '--mode', 'offline', '-a', path],
        ...['--module', 'app', '--software-filesystem', 'rootfs-image'],
        // A disk that is nearly full would make room.
        ...['--no-cache-limit', '--cache-dir', join(folder, 'cache'), ...more],
      ],
      { HOME: folder },
    );
    expect([code, stderr]).toEqual([0, '']);
    expect(await withoutRecord(path)).toEqual(await withoutRecord(join(folder, `${version}.mender`)));
  }
  const now = contents(join(folder, 'cache'));
  for (const [path, bytes] of kept) {
    if (!path.startsWith('v1/applications/')) expect([path, now.get(path)]).toEqual([path, bytes]);
  }
  expect([...now.keys()].filter((path) => !kept.has(path))).toEqual([
    'v1/applications/shop.local.amd64.json',
    'v1/applications/shop.local.json',
  ]);
  expect(readdirSync(join(folder, 'cache'))).toEqual(['v1']);
});

/**
 * All that an artifact holds but the record of its images, which 0.1.0 did not write, and its size.
 */
async function withoutRecord(path: string): Promise<object> {
  const { size, record, metaData, ...report } = await readArtifact(path);
  expect(size).toBeGreaterThan(0);
  const { [RECORD_KEY]: text, ...ownKeys } = metaData ?? {};
  expect(text === undefined).toBe(record === undefined);
  return { ...report, metaData: ownKeys };
}

function contents(folder: string): Map<string, string> {
  const items = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((item) => item.isFile());
  const paths = items.map(({ parentPath, name }) => join(parentPath, name));
  return new Map(paths.map((path) => [relative(folder, path), readFileSync(path).toString('base64')]));
}
