import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runCli } from '../../helpers/cli.ts';
import { buildImage, writeOciArchive } from '../../helpers/images.ts';
import { temporaryFolder } from '../../helpers/temporary.ts';

/** A project of one service, whose image is an archive, and a function that builds it. */
function project(
  compose = 'services: {web: {image: "web:1"}}',
  writer = 'embedded',
): {
  folder: string;
  build: (...flags: string[]) => ReturnType<typeof runCli>;
} {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'shop'));
  writeFileSync(join(folder, 'shop/compose.yaml'), compose);
  writeOciArchive(join(folder, 'web.tar'), { 'web:1': buildImage({ layers: [{ a: 'a' }] }) });
  const flags = ['-t', 'qemu', '-p', 'linux/amd64', '-f', `web=${join(folder, 'web.tar')}`, '--no-upload'];
  const fixed = ['build', join(folder, 'shop'), '--artifact-version', '1', '--writer', writer, ...flags];
  return { folder, build: (...more) => runCli([...fixed, ...more], { HOME: folder }) };
}

describe('the file of an artifact', () => {
  test.each<[string, (path: string, folder: string) => void]>([
    ['a link', (path, folder) => symlinkSync(join(folder, 'web.tar'), path)],
    ['a link to nowhere', (path) => symlinkSync('/nowhere', path)],
    ['a folder', (path) => mkdirSync(path)],
    ['a named pipe', (path) => execFileSync('mkfifo', [path])],
  ])('is never put in the place of %s', async (_, make) => {
    const { folder, build } = project();
    const path = join(folder, 'x.mender');
    make(path, folder);
    const before = lstatSync(path);
    const { code, stderr } = await build('-a', path);
    expect([code, stderr]).toEqual([2, expect.stringContaining(`writing ${path}: expected a regular file`)]);
    expect(lstatSync(path).ino).toBe(before.ino);
    // Nothing was built for it.
    expect(existsSync(join(folder, '.cache/mender-docker-delta/v1/layers'))).toBe(false);
  });

  test.each([
    ['a secret', 'embedded', 0o600, 0o600],
    ['a secret', 'mender-artifact', 0o600, 0o600],
    ['what everybody may read', 'embedded', 0o644, 0o644],
    ['what everybody may read', 'mender-artifact', 0o644, 0o644],
  ])('with %s has the same mode as its side files, written by %s', async (_, writer, mode, expected) => {
    const text = 'services: {web: {image: "web:1", env_file: settings.env}}';
    const { folder, build } = project(text, writer);
    writeFileSync(join(folder, 'shop/settings.env'), 'A=1\n');
    chmodSync(join(folder, 'shop/settings.env'), mode);
    const path = join(folder, 'x.mender');
    expect(await build('-a', path, '--sbom')).toMatchObject({ code: 0 });
    for (const end of ['', '.cdx.json', '.provenance.json']) {
      expect([end, statSync(path + end).mode & 0o777]).toEqual([end, expected]);
    }
  });

  test.each<[string, boolean, string[], number, boolean]>([
    ['the same one', false, [], 0, true],
    ['the same one, by force', false, ['--force'], 0, true],
    ['another one, by force', true, ['--force'], 0, false],
    ['another one, which is too large for the device', true, ['--force', '--device-free', '1'], 7, false],
    ['another one, which is refused', true, [], 2, true],
  ])('keeps its side files while it stays: a build of %s', async (_, isOther, flags, code, stay) => {
    const { folder, build } = project();
    const other = join(folder, 'other.tar');
    writeOciArchive(other, { 'web:1': buildImage({ layers: [{ a: 'b' }] }) });
    const path = join(folder, 'x.mender');
    expect(await build('-a', path, '--sbom')).toMatchObject({ code: 0 });
    const image = isOther ? ['-f', `web=${other}`] : [];
    expect(await build('-a', path, ...image, ...flags)).toMatchObject({ code });
    for (const end of ['.cdx.json', '.provenance.json'])
      expect([end, existsSync(path + end)]).toEqual([end, stay]);
  });

  test('takes no side files that an artifact of this name left', async () => {
    const { folder, build } = project();
    const path = join(folder, 'x.mender');
    writeFileSync(`${path}.cdx.json`, '{}');
    expect(await build('-a', path)).toMatchObject({ code: 0 });
    expect(existsSync(`${path}.cdx.json`)).toBe(false);
  });

  test('is that of one of two builds at once, and the other one says so', async () => {
    const { folder, build } = project();
    const other = join(folder, 'other.tar');
    writeOciArchive(other, { 'web:1': buildImage({ layers: [{ a: 'b' }] }) });
    const path = join(folder, 'x.mender');
    const runs = await Promise.all([build('-a', path), build('-a', path, '-f', `web=${other}`)]);
    expect(runs.map(({ code }) => code).toSorted()).toEqual([0, 2]);
    expect(runs.map(({ stderr }) => stderr).join('')).toContain(
      `writing ${path}: it exists and holds something else`,
    );
    expect(readdirSync(folder).filter((name) => name.startsWith('.tmp-'))).toEqual([]);
  });

  test('removes what a killed build left next to it a while ago', async () => {
    const { folder, build } = project();
    const left = (pid: number, end = '.mender') => `.tmp-${pid}-0123456789ab-x${end}`;
    const dead = spawnSync('true').pid;
    const names = [left(dead), left(process.pid), left(dead, '.txt'), left(dead, '-new.mender')];
    const before = Date.now() / 1000 - 7200;
    for (const name of names) writeFileSync(join(folder, name), '');
    for (const name of names.slice(0, 3)) utimesSync(join(folder, name), before, before);
    expect(await build('-a', join(folder, 'x.mender'))).toMatchObject({ code: 0 });
    expect(
      readdirSync(folder)
        .filter((name) => name.startsWith('.tmp-'))
        .toSorted(),
    ).toEqual(names.slice(1).toSorted());
  });

  test.each([
    ['in /proc', '/proc/x.mender'],
    ['in /proc, deeper', '/proc/x/y/z.mender'],
  ])('is an error where the system takes no file: %s', async (_, path) => {
    for (const writer of ['embedded', 'mender-artifact']) {
      const { code, stderr } = await project(undefined, writer).build('-a', path);
      expect([code, stderr]).toEqual([2, expect.stringContaining(`writing ${path}: no such file or folder`)]);
    }
  });

  test.each(['constructor', 'toString', 'hasOwnProperty'])('knows no setting of the name %s', async (key) => {
    const { code, stderr } = await project(
      `services: {web: {image: "web:1"}}\nx-mender: {${key}: x}`,
    ).build();
    expect([code, stderr]).toEqual([2, expect.stringContaining(`x-mender: unknown key "${key}"`)]);
  });

  test('is not begun for a named pipe in the place of the Compose file', async () => {
    const { folder, build } = project();
    rmSync(join(folder, 'shop/compose.yaml'));
    execFileSync('mkfifo', [join(folder, 'shop/compose.yaml')]);
    const { code, stderr } = await build();
    expect([code, stderr]).toEqual([2, expect.stringContaining('is a device or named pipe')]);
  });

  test('is not begun where the cache can not be written', async () => {
    const { folder, build } = project();
    const path = join(folder, 'x.mender');
    const { code, stderr } = await build('-a', path, '--cache-dir', '/proc/x');
    expect([code, stderr]).toEqual([2, expect.stringContaining('writing into the cache /proc/x/v1')]);
    expect(readdirSync(folder)).not.toContain('x.mender');
  });
});
