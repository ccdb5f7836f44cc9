import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { withCheckout } from '../../src/git/checkout.ts';
import { temporaryFolder } from '../helpers/temporary.ts';
import { commitAll, git, writeFiles } from './project.ts';

const contents = (folder: string): string[] => readdirSync(folder).filter((name) => name !== '.git');

describe('withCheckout', () => {
  test('has the files of the commit, and removes them at the end', async () => {
    const folder = temporaryFolder();
    const first = commitAll(folder, { 'shop/a': '1', b: 'b' });
    commitAll(folder, { 'shop/a': '2' });
    const place = await withCheckout(folder, first, (checkout) => {
      expect(contents(checkout).sort()).toEqual(['b', 'shop']);
      expect(readFileSync(join(checkout, 'shop/a'), 'utf8')).toBe('1');
      expect(statSync(checkout).mode & 0o077).toBe(0);
      return Promise.resolve(checkout);
    });
    expect(existsSync(place)).toBe(false);
  });

  test('removes the folder if the work in it fails', async () => {
    const folder = temporaryFolder();
    const commit = commitAll(folder, { a: '1' });
    let place = '';
    const failing = withCheckout(folder, commit, (checkout) => {
      place = checkout;
      return Promise.reject(new Error('no'));
    });
    await expect(failing).rejects.toThrow('no');
    expect(existsSync(place)).toBe(false);
  });

  test('leaves the repository as it is', async () => {
    const folder = temporaryFolder();
    const commit = commitAll(folder, { a: '1' });
    writeFiles(folder, { a: 'changed', new: 'new' });
    git(folder, 'add', 'new');
    const before = git(folder, 'status', '--porcelain');
    await withCheckout(folder, commit, () => Promise.resolve());
    expect(git(folder, 'status', '--porcelain')).toBe(before);
  });

  test.each([
    ['a shallow clone', ['--depth', '1']],
    ['a clone that borrows its objects', ['--shared']],
    ['a bare clone', ['--bare']],
  ])('reads %s', async (_, flags) => {
    const folder = temporaryFolder();
    commitAll(folder, { a: '1' });
    const commit = commitAll(folder, { a: '2' });
    const clone = join(temporaryFolder(), 'clo:n"e');
    const source = flags.includes('--shared') ? folder : `file://${folder}`;
    git(folder, 'clone', '-q', ...flags, source, clone);
    const text = await withCheckout(clone, commit, (checkout) =>
      Promise.resolve(readFileSync(join(checkout, 'a'), 'utf8')),
    );
    expect(text).toBe('2');
  });

  test('reads a linked work tree and a repository with SHA-256', async () => {
    const folder = temporaryFolder();
    git(folder, 'init', '-q', '--object-format=sha256');
    const commit = commitAll(folder, { a: '1' });
    const linked = join(temporaryFolder(), 'linked');
    git(folder, 'worktree', 'add', '-q', linked);
    for (const root of [folder, linked])
      expect(await withCheckout(root, commit, (at) => Promise.resolve(contents(at)))).toEqual(['a']);
  });

  test('throws ToolError for a commit whose files are not there', async () => {
    const folder = temporaryFolder();
    commitAll(folder, { a: '1' });
    const commit = '0'.repeat(40);
    await expect(withCheckout(folder, commit, () => Promise.resolve())).rejects.toThrow(
      `checking out ${commit} of ${folder}: git failed`,
    );
  });

  test('sweeps what a killed run left a day ago, and nothing else', async () => {
    const folder = temporaryFolder();
    const commit = commitAll(folder, { a: '1' });
    const hours = (count: number): Date => new Date(Date.now() - count * 3_600_000);
    const left = { old: 'git-AbCdE1', base: 'base-AbCdE2', young: 'git-AbCdE3', other: 'test-kept-AbCdE4' };
    for (const [kind, name] of Object.entries(left)) {
      const path = join(tmpdir(), `mender-docker-delta-${name}`);
      mkdirSync(path, { recursive: true });
      utimesSync(path, hours(25), kind === 'young' ? hours(1) : hours(25));
    }
    await withCheckout(folder, commit, () => Promise.resolve());
    const kept = Object.values(left).filter((name) =>
      existsSync(join(tmpdir(), `mender-docker-delta-${name}`)),
    );
    expect(kept).toEqual([left.young, left.other]);
    for (const name of kept) rmSync(join(tmpdir(), `mender-docker-delta-${name}`), { recursive: true });
  });
});
