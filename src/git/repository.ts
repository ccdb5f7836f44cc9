import { realpath } from 'node:fs/promises';
import { NotFoundError, systemCodeOf } from '../errors.ts';
import { gitError, gitMessage, runGit } from './run.ts';

/** A git work tree. */
export interface Repository {
  /** The top folder of the work tree. */
  root: string;
  /** Commit id of HEAD, 40 or 64 hex digits; undefined before the first commit. */
  head?: string;
  /** True if the clone has only the latest part of the history, as CI systems make it. */
  shallow: boolean;
}

/**
 * Returns the work tree that contains `folder`, or undefined if there is no work tree or git is not
 * installed. Throws ToolError if git fails for another reason.
 */
export async function findRepository(folder: string): Promise<Repository | undefined> {
  try {
    const answer = await runGit(folder, [
      'rev-parse',
      '--is-inside-work-tree',
      '--is-shallow-repository',
      '--show-toplevel',
    ]);
    const [isInside, isShallow, ...root] = answer.split('\n');
    if (isInside !== 'true') return undefined;
    const head = await commitOf(folder, 'HEAD');
    return {
      root: await realpath(root.join('\n')),
      ...(head === undefined ? {} : { head }),
      shallow: isShallow === 'true',
    };
  } catch (error) {
    if (isNoWorkTree(error)) return undefined;
    throw gitError(`reading the git repository of ${folder}`, error);
  }
}

function isNoWorkTree(error: unknown): boolean {
  const code = systemCodeOf(error);
  if (code === 'ENOENT' || code === 'ENOTDIR') return true;
  return /not a git repository|must be run in a work tree/i.test(gitMessage(error));
}

/**
 * Returns the text of a file at a commit, or undefined if the commit or the file does not exist.
 * Throws ToolError if the file exists there and its content is not in the clone.
 */
export async function readFileAt(root: string, commit: string, path: string): Promise<string | undefined> {
  const id = await commitOf(root, commit);
  if (id === undefined) return undefined;
  try {
    const entry = await runGit(root, ['--literal-pathspecs', 'ls-tree', '--full-tree', '-z', id, path]);
    const [, blob] = /^1\d{5} blob ([0-9a-f]+)\t/.exec(entry) ?? [];
    return blob === undefined ? undefined : await runGit(root, ['cat-file', 'blob', blob]);
  } catch (error) {
    throw gitError(`reading ${path} at ${commit} of ${root}`, error);
  }
}

/**
 * Returns the commit that a tag, a tag with `v` in front, a branch or a commit id names, or
 * undefined.
 */
export async function resolveRef(root: string, ref: string): Promise<string | undefined> {
  const candidates = [
    `refs/tags/${ref}`,
    `refs/tags/v${ref}`,
    `refs/heads/${ref}`,
    `refs/remotes/origin/${ref}`,
    ref,
  ];
  for (const candidate of candidates) {
    const commit = await commitOf(root, candidate);
    if (commit !== undefined) return commit;
  }
  return undefined;
}

/**
 * Returns the commits that changed the file at `path`, newest first, along the first parents of
 * HEAD. Throws ToolError if git fails.
 */
export async function commitsOf(root: string, path: string): Promise<string[]> {
  const args = ['log', '--first-parent', '--format=%H', '--no-show-signature', 'HEAD', '--', path];
  const output = await runGit(root, ['--literal-pathspecs', ...args]).catch((error: unknown) => {
    throw gitError(`reading the history of ${path} in ${root}`, error);
  });
  return output.split('\n').filter((line) => line !== '');
}

/** Returns the first parent of a commit. Undefined for the first commit, and where a clone ends. */
export function parentOf(root: string, commit: string): Promise<string | undefined> {
  return commitOf(root, `${commit}^1`);
}

/** Returns the time of a commit. Throws ToolError if git fails. */
export async function timeOf(root: string, commit: string): Promise<Date> {
  const args = ['show', '--no-patch', '--no-show-signature', '--format=%ct', commit];
  const seconds = await runGit(root, args).catch((error: unknown) => {
    throw gitError(`reading commit ${commit} of ${root}`, error);
  });
  return new Date(Number(seconds) * 1000);
}

/** The error for a ref that does not exist. For a shallow clone it says how to get the history. */
export function unknownRef(repository: Repository, ref: string): NotFoundError {
  return new NotFoundError(`no tag, branch or commit ${JSON.stringify(ref)} in ${repository.root}`, {
    hint: repository.shallow
      ? 'this clone is shallow: fetch the whole history, in GitHub Actions with fetch-depth: 0, else with git fetch --unshallow --tags'
      : 'list the refs with git tag and git branch, or fetch the missing one with git fetch --tags',
  });
}

async function commitOf(folder: string, name: string): Promise<string | undefined> {
  if (name.startsWith('-')) return undefined;
  const args = ['rev-parse', '--verify', '--quiet', `${name}^{commit}`];
  const commit = await runGit(folder, args).catch(() => '');
  return /^[0-9a-f]{40,64}$/.test(commit) ? commit : undefined;
}
