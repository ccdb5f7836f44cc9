import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gitError, openGit } from './repository.ts';

/**
 * Calls `use` with a folder that holds the work tree of `root` as it was at `commit`. The temporary clone borrows the
 * objects of the repository instead of copying them, and is removed in every case.
 */
export async function withClone<T>(
  root: string,
  commit: string,
  use: (folder: string) => Promise<T>,
): Promise<T> {
  const parent = await mkdtemp(join(tmpdir(), 'mender-docker-delta-git-'));
  try {
    return await use(await cloneAt(root, commit, join(parent, 'clone')));
  } finally {
    await rm(parent, { recursive: true, force: true });
  }
}

async function cloneAt(root: string, commit: string, folder: string): Promise<string> {
  try {
    await openGit(root).clone(root, folder, ['--shared', '--no-checkout', '--quiet']);
    await openGit(folder).raw(['-c', 'advice.detachedHead=false', 'checkout', '--quiet', '--detach', commit]);
    return folder;
  } catch (error) {
    throw gitError(`checking out ${commit} of ${root}`, error);
  }
}
