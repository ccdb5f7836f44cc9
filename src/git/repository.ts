import { realpath } from 'node:fs/promises';
import type { SimpleGit } from 'simple-git';
import { simpleGit } from 'simple-git';
import { NotFoundError, ToolError, messageOf, systemCodeOf } from '../errors.ts';

/** A git work tree. */
export interface Repository {
  /** The work tree's top folder. */
  root: string;
  /** Commit id of HEAD, 40 hex digits; undefined before the first commit. */
  head?: string;
  /** True if files differ from HEAD. */
  dirty: boolean;
  /** True if the history was cut off when it was cloned, as CI systems do. */
  shallow: boolean;
}

/**
 * The work tree that `folder` lies in; undefined where there is none (a bare repository has none) or git is not
 * installed. Throws ToolError when git fails otherwise.
 */
export async function findRepository(folder: string): Promise<Repository | undefined> {
  const git = openGit(folder);
  try {
    if ((await git.revparse(['--is-inside-work-tree'])).trim() !== 'true') return undefined;
    const root = await realpath((await git.revparse(['--show-toplevel'])).trim());
    const head = await commitOf(git, 'HEAD');
    const dirty = !(await git.status()).isClean();
    const shallow = (await git.revparse(['--is-shallow-repository'])).trim() === 'true';
    return { root, ...(head === undefined ? {} : { head }), dirty, shallow };
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT' || /not a git repository|ENOENT/i.test(messageOf(error)))
      return undefined;
    throw gitError(`reading the git repository of ${folder}`, error);
  }
}

/** Content of a file at a commit, or undefined if the commit or the file is not there. */
export async function readFileAt(root: string, commit: string, path: string): Promise<string | undefined> {
  const git = openGit(root);
  if ((await commitOf(git, commit)) === undefined) return undefined;
  return git.show([`${commit}:${path}`]).catch(() => undefined);
}

/** The commit that a tag, a `v`-prefixed tag, a branch or a commit id names; undefined if none does. */
export async function resolveRef(root: string, ref: string): Promise<string | undefined> {
  const git = openGit(root);
  const candidates = [
    `refs/tags/${ref}`,
    `refs/tags/v${ref}`,
    `refs/heads/${ref}`,
    `refs/remotes/origin/${ref}`,
    ref,
  ];
  for (const candidate of candidates) {
    const commit = await commitOf(git, candidate);
    if (commit !== undefined) return commit;
  }
  return undefined;
}

/** The error for a ref that is not there; in a shallow clone it tells how to get the history. */
export function unknownRef(repository: Repository, ref: string): NotFoundError {
  return new NotFoundError(`no tag, branch or commit ${JSON.stringify(ref)} in ${repository.root}`, {
    hint: repository.shallow
      ? 'this clone is shallow: fetch the whole history, in GitHub Actions with fetch-depth: 0, else with git fetch --unshallow --tags'
      : 'see git tag and git branch for what there is, or fetch it with git fetch --tags',
  });
}

/** A git client that never asks for a password and never runs the user's hooks. */
export function openGit(folder: string): SimpleGit {
  return simpleGit({ baseDir: folder, trimmed: true });
}

async function commitOf(git: SimpleGit, name: string): Promise<string | undefined> {
  if (name.startsWith('-')) return undefined;
  const commit = await git.revparse(['--verify', '--quiet', `${name}^{commit}`]).catch(() => '');
  return /^[0-9a-f]{40,64}$/.test(commit) ? commit : undefined;
}

export function gitError(doing: string, error: unknown): ToolError {
  return new ToolError(`${doing}: git failed: ${messageOf(error).trim()}`, { cause: error });
}
