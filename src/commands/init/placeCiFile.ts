import { realpath } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';
import { UsageError } from '../../errors.ts';
import { findRepository } from '../../git/repository.ts';
import { readUserFileIfAny } from '../../io/readUserFile.ts';
import type { CiSystem } from './ciFiles.ts';
import { ciFile } from './ciFiles.ts';
import type { Change } from './placeChanges.ts';

/** The top of the git repository of a project, or without git the project folder. A real path. */
export async function topOf(projectFolder: string): Promise<string> {
  return (await findRepository(projectFolder))?.root ?? (await realpath(projectFolder));
}

/**
 * The file of a CI system, at the top of the git repository, as CI systems look only there. Without
 * git it is for the project folder. Nothing if the file is there already. Throws UsageError for a
 * file with other content. `manifest` is the Compose file or its folder, absolute.
 */
export async function placeCiFile(
  system: CiSystem,
  projectFolder: string,
  manifest: string,
): Promise<Change | undefined> {
  const top = await topOf(projectFolder);
  const fromTop = relativeManifest(top, await realManifest(projectFolder, manifest));
  const { path: name, text } = ciFile(system, fromTop);
  const path = join(top, name);
  const found = (await readUserFileIfAny(path))?.toString('utf8');
  if (found === text) return undefined;
  if (found === undefined) return { path, text };
  throw new UsageError(`--ci ${system}: ${path} exists and has other content`, {
    hint: `add a job for ${fromTop} to it, as docs/ci.md shows, and leave out --ci`,
  });
}

/** Git names the real folder. A Compose file keeps its own name if it is a link. */
async function realManifest(projectFolder: string, manifest: string): Promise<string> {
  const folder = await realpath(projectFolder);
  const isFolder = (await realpath(manifest)) === folder;
  return isFolder ? folder : join(await realpath(dirname(manifest)), basename(manifest));
}

/** Throws UsageError for a path that a CI system would read as more than a path. */
function relativeManifest(top: string, manifest: string): string {
  const path = relative(top, manifest) || '.';
  if (/[$\p{Cc}]/u.test(path)) {
    throw new UsageError(`--ci: the path ${JSON.stringify(path)} has characters that CI systems replace`, {
      hint: 'rename the folder, or write the CI file by hand; docs/ci.md shows it',
    });
  }
  return path.startsWith('-') ? `./${path}` : path;
}
