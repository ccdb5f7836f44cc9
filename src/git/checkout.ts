import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { withTemporaryFolder } from '../io/temporaries.ts';
import { gitError, runGit } from './run.ts';
import { ensureFolder } from '../io/files.ts';

/** Files are written as they are stored: no filter program, no other line ends or encodings. */
const PLAIN_ATTRIBUTES = '* -text !filter !ident !working-tree-encoding\n';

/**
 * Calls `use` with a temporary folder that has the files of `root` at `commit`, and removes it in
 * every case. The folder is a repository of its own that borrows the objects of `root`, so the
 * configuration of `root` has no effect on it. Throws ToolError if git fails.
 */
export async function withCheckout<T>(
  root: string,
  commit: string,
  use: (folder: string) => Promise<T>,
): Promise<T> {
  return withTemporaryFolder('git', async (folder) => {
    await checkOut(root, commit, folder).catch((error: unknown) => {
      throw gitError(`checking out ${commit} of ${root}`, error);
    });
    return use(folder);
  });
}

async function checkOut(root: string, commit: string, folder: string): Promise<void> {
  const objects = resolve(root, await runGit(root, ['rev-parse', '--git-path', 'objects']));
  const format = commit.length === 64 ? ['--object-format=sha256'] : [];
  await runGit(folder, ['init', '--quiet', '--template=', ...format]);
  const info = join(folder, '.git', 'info');
  await ensureFolder(info);
  await writeFile(join(info, 'attributes'), PLAIN_ATTRIBUTES);
  const borrowed = { GIT_ALTERNATE_OBJECT_DIRECTORIES: quoted(objects) };
  await runGit(folder, ['read-tree', commit], borrowed);
  await runGit(folder, ['checkout-index', '--all', '--quiet'], borrowed);
}

/** As git reads an item of a list of paths: a colon inside quotes separates nothing. */
function quoted(path: string): string {
  return `"${path.replace(/[\\"]/g, '\\$&')}"`;
}
