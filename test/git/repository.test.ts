import { chownSync, mkdirSync, realpathSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { findRepository, readFileAt, resolveRef, unknownRef } from '../../src/git/repository.ts';
import { temporaryFolder } from '../helpers/temporary.ts';
import { commitAll, git, writeFiles } from './project.ts';

describe('findRepository', () => {
  test('finds the top folder and the commit from a folder below', async () => {
    const folder = temporaryFolder();
    const head = commitAll(folder, { 'shop/compose.yaml': 'a' });
    expect(await findRepository(join(folder, 'shop'))).toEqual({
      root: realpathSync(folder),
      head,
      shallow: false,
    });
  });

  test('has no head before the first commit', async () => {
    const folder = temporaryFolder();
    git(folder, 'init', '-q');
    expect(await findRepository(folder)).toEqual({ root: realpathSync(folder), shallow: false });
  });

  test('knows a shallow clone', async () => {
    const folder = temporaryFolder();
    commitAll(folder, { a: '1' });
    commitAll(folder, { a: '2' });
    const clone = join(temporaryFolder(), 'clone');
    git(folder, 'clone', '-q', '--depth', '1', `file://${folder}`, clone);
    expect(await findRepository(clone)).toMatchObject({ shallow: true });
    expect(unknownRef({ root: clone, shallow: true }, 'x').hint).toContain('--unshallow');
  });

  test.each<[string, (folder: string) => string]>([
    ['a folder without a repository', (folder) => folder],
    ['a folder that does not exist', (folder) => join(folder, 'gone')],
    ['a bare repository', (folder) => (git(folder, 'init', '-q', '--bare'), folder)],
    ['the .git folder itself', (folder) => (git(folder, 'init', '-q'), join(folder, '.git'))],
  ])('returns undefined for %s', async (_, prepare) => {
    expect(await findRepository(prepare(temporaryFolder()))).toBeUndefined();
  });

  test('names the folder and what git said if git fails', async () => {
    const folder = temporaryFolder();
    commitAll(folder, { a: '1' });
    writeFiles(folder, { '.git/config': '[core\n' });
    await expect(findRepository(folder)).rejects.toThrow(
      /^reading the git repository of .*: git failed: .*bad config line 1/s,
    );
  });

  test('does not follow the variables that git sets in its hooks', async () => {
    const [folder, other] = [temporaryFolder(), temporaryFolder()];
    commitAll(folder, { a: '1' });
    commitAll(other, { a: '2' });
    vi.stubEnv('GIT_DIR', join(other, '.git'));
    vi.stubEnv('GIT_WORK_TREE', other);
    vi.stubEnv('GIT_INDEX_FILE', join(other, '.git/index'));
    expect(await findRepository(folder)).toMatchObject({ root: realpathSync(folder) });
    vi.unstubAllEnvs();
  });
});

describe('a repository of another user', () => {
  const isRoot = process.geteuid?.() === 0;

  test.runIf(isRoot).each<[string, (file: string) => Record<string, string>]>([
    [
      'GIT_CONFIG_COUNT',
      () => ({ GIT_CONFIG_COUNT: '1', GIT_CONFIG_KEY_0: 'safe.directory', GIT_CONFIG_VALUE_0: '*' }),
    ],
    ['GIT_CONFIG_GLOBAL', (file) => ({ GIT_CONFIG_GLOBAL: file })],
  ])('is read if %s says that it is safe', async (_, environment) => {
    const folder = temporaryFolder();
    const head = commitAll(folder, { a: '1' });
    chownSync(folder, 12345, 12345);
    chownSync(join(folder, '.git'), 12345, 12345);
    const file = join(temporaryFolder(), 'config');
    writeFiles(join(file, '..'), { config: '[safe]\n\tdirectory = *\n' });
    vi.stubEnv('HOME', temporaryFolder());
    await expect(findRepository(folder)).rejects.toThrow('dubious ownership');
    for (const [name, value] of Object.entries(environment(file))) vi.stubEnv(name, value);
    expect(await findRepository(folder)).toMatchObject({ head });
    vi.unstubAllEnvs();
  });
});

describe('resolveRef', () => {
  test('finds tags, branches and commit ids, and takes nothing else for one', async () => {
    const folder = temporaryFolder();
    const head = commitAll(folder, { a: '1' });
    git(folder, 'tag', '1.0');
    git(folder, 'tag', 'v2.0');
    git(folder, 'branch', 'feature');
    for (const ref of ['1.0', '2.0', 'v2.0', 'main', 'feature', 'HEAD', head, head.slice(0, 8)])
      expect([ref, await resolveRef(folder, ref)]).toEqual([ref, head]);
    for (const ref of ['9.9', '--output=x', '-x', '', 'main:a', '$(touch x)', 'a\nb', 'ext::sh -c x'])
      expect([ref, await resolveRef(folder, ref)]).toEqual([ref, undefined]);
  });
});

describe('readFileAt', () => {
  test('reads what the file was, and undefined if it was not there', async () => {
    const folder = temporaryFolder();
    const first = commitAll(folder, { 'shop/VERSION': '1.0\n' });
    commitAll(folder, { 'shop/VERSION': '2.0\n' });
    expect(await readFileAt(folder, 'HEAD', 'shop/VERSION')).toBe('2.0');
    expect(await readFileAt(folder, 'HEAD^1', 'shop/VERSION')).toBe('1.0');
    expect(await readFileAt(join(folder, 'shop'), first, 'shop/VERSION')).toBe('1.0');
    for (const path of ['VERSION', 'shop', ':(glob)**', 'shop/*'])
      expect(await readFileAt(folder, first, path)).toBeUndefined();
    expect(await readFileAt(folder, 'HEAD^7', 'shop/VERSION')).toBeUndefined();
  });

  test('throws if the clone lacks the content', async () => {
    const folder = temporaryFolder();
    commitAll(folder, { VERSION: '1.0\n' });
    const blob = git(folder, 'rev-parse', 'HEAD:VERSION');
    rmSync(join(folder, '.git/objects', blob.slice(0, 2), blob.slice(2)));
    await expect(readFileAt(folder, 'HEAD', 'VERSION')).rejects.toThrow(/^reading VERSION at HEAD of /);
  });
});

test('reads a repository with names that need quoting', async () => {
  const folder = join(temporaryFolder(), 'a "b\\ c:d\né');
  mkdirSync(folder);
  const head = commitAll(folder, { 'é "x"': 'text' });
  expect(await findRepository(folder)).toEqual({ root: realpathSync(folder), head, shallow: false });
  expect(await readFileAt(folder, 'HEAD', 'é "x"')).toBe('text');
});
