import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { lstat, readlink } from 'node:fs/promises';
import { join, relative } from 'node:path';
import type { Repository } from './repository.ts';
import { gitError, runGit } from './run.ts';

/** The commit that a folder is at. */
export interface SourceCommit {
  commit: string;
  /** The folder, from the top of the work tree; empty for the top. */
  folder: string;
  /** True if a file below the folder differs from what the commit stores, or is missing. */
  isModified: boolean;
  /** Where the repository is, without credentials; undefined if no remote `origin` says it. */
  uri: string | undefined;
}

/**
 * Returns the commit of the work tree that `folder` is in; undefined before the first commit. Files
 * are compared as they are stored: one of Git LFS counts as modified. Throws ToolError if git
 * fails.
 */
export async function sourceOf(repository: Repository, folder: string): Promise<SourceCommit | undefined> {
  const { root, head } = repository;
  if (head === undefined) return undefined;
  const below = relative(root, folder);
  const remote = await runGit(root, ['config', '--get', 'remote.origin.url']).catch(() => '');
  const stored = await storedFiles(root, head, below);
  return { commit: head, folder: below, isModified: await anyDiffers(root, stored), uri: sourceUri(remote) };
}

interface StoredFile {
  path: string;
  /** Of its blob: the SHA-1 or SHA-256 of its bytes behind a header. */
  id: string;
  isLink: boolean;
}

/** What is neither a file nor a link, such as a submodule, is left out. */
async function storedFiles(root: string, commit: string, folder: string): Promise<StoredFile[]> {
  const paths = folder === '' ? [] : ['--', folder];
  const args = ['--literal-pathspecs', 'ls-tree', '-r', '-z', '--full-tree', commit, ...paths];
  const list = await runGit(root, args).catch((error: unknown) => {
    throw gitError(`reading the files of commit ${commit} of ${root}`, error);
  });
  const entries = list.matchAll(/(1\d{5}) blob ([0-9a-f]+)\t([^\0]+)\0/g);
  return [...entries].map(([, mode, id = '', path = '']) => ({ path, id, isLink: mode === '120000' }));
}

async function anyDiffers(root: string, files: readonly StoredFile[]): Promise<boolean> {
  for (const file of files) {
    if (await differs(join(root, file.path), file)) return true;
  }
  return false;
}

async function differs(path: string, { id, isLink }: StoredFile): Promise<boolean> {
  const found = await lstat(path).catch(() => undefined);
  if (found === undefined || found.isSymbolicLink() !== isLink || !(isLink || found.isFile())) return true;
  const content = isLink ? [await readlink(path, 'buffer')] : createReadStream(path);
  // What git calls the id of a blob: https://git-scm.com/book/en/v2/Git-Internals-Git-Objects
  const sum = createHash(id.length === 64 ? 'sha256' : 'sha1').update(`blob ${found.size}\0`);
  for await (const part of content) sum.update(part as Buffer);
  return sum.digest('hex') !== id;
}

/**
 * Returns the address of a remote as SLSA writes it (`git+https://host/path`), without user,
 * password and query. Undefined for a folder, and for what is no address. Pure.
 */
export function sourceUri(remote: string): string | undefined {
  const [, host, path = ''] = /^(?:[^@/:]+@)?([^@/:]+):(?!\/\/|:)\/?(.+)$/.exec(remote) ?? [];
  const address = host === undefined ? remote : `ssh://${host}/${path}`;
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url === undefined || !['https:', 'http:', 'ssh:', 'git:'].includes(url.protocol)) return undefined;
  return `git+${url.protocol}//${url.host}${url.pathname}`;
}
