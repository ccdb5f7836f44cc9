import { join, relative } from 'node:path';
import { ToolError, UsageError } from '../../errors.ts';
import type { Wording } from '../../errors.ts';
import type { Repository } from '../../git/repository.ts';
import { commitsOf, findRepository, parentOf, readFileAt } from '../../git/repository.ts';
import type { BuildRequest } from '../request.ts';
import type { VersionAt } from './order.ts';
import type { VersionFile } from '../../git/version.ts';
import { checkVersion } from './names.ts';
import { developmentVersion, findVersionFile, parseVersion } from '../../git/version.ts';

/** What git and the VERSION file say about the folder of a Compose file. */
export interface Surroundings {
  /** Absolute folder of the Compose file. */
  folder: string;
  repository?: Repository | undefined;
  /**
   * Why git can't read the repository around the folder; undefined if it can, or if there is none.
   */
  unreadable?: ToolError | undefined;
  versionFile?: VersionFile | undefined;
}

/** Looks around the folder of a Compose file. */
export async function surroundingsOf(folder: string): Promise<Surroundings> {
  const found = await findRepository(folder).catch((error: unknown) => {
    if (error instanceof ToolError) return error;
    throw error;
  });
  const [repository, unreadable] = found instanceof ToolError ? [undefined, found] : [found, undefined];
  const versionFile = await findVersionFile(folder, repository?.root ?? folder);
  return { folder, repository, unreadable, versionFile };
}

/** Throws the ToolError of a repository that git can't read. */
export function requireReadable({ unreadable }: Surroundings): void {
  if (unreadable !== undefined) throw unreadable;
}

/**
 * Chooses the new artifact's version: `given`, else the content of VERSION for a release, else a
 * development version that names the commit and the run. Throws UsageError that names
 * --artifact-version if there is nothing to make it from. Pure.
 */
export function chooseVersion(
  around: Surroundings,
  { version: given, release, buildId }: Pick<BuildRequest, 'version' | 'release' | 'buildId'>,
): string {
  if (given !== undefined) return checkVersion(given, '--artifact-version');
  requireReadable(around);
  if (around.versionFile === undefined) {
    throw new UsageError(`no VERSION file in ${around.folder} or above it`, {
      hint: (wording) => `write one, or ${giveVersion(wording)}`,
    });
  }
  const version = checkVersion(around.versionFile.version, around.versionFile.path);
  if (release) return version;
  const head = around.repository?.head;
  if (head === undefined) {
    throw new UsageError(`${around.folder} is in no git repository with a commit`, {
      hint: (wording) =>
        `build version ${version} of the file VERSION with ${wording.option('release', 'true')}, or ${giveVersion(wording)}`,
    });
  }
  return developmentVersion(version, head, buildId);
}

function giveVersion({ option }: Wording): string {
  return `give the version with ${option('artifact-version')}`;
}

/**
 * Returns `<repository folder>-<Compose folder>`; outside of git and at the repository's top, the
 * folder's name alone.
 */
export function defaultApplicationName(around: Surroundings): string {
  requireReadable(around);
  const { folder, repository } = around;
  const last = (path: string): string => path.split('/').filter(Boolean).at(-1) ?? 'application';
  if (repository === undefined || relative(repository.root, folder) === '') return last(folder);
  return `${last(repository.root)}-${last(folder)}`;
}

/**
 * Yields the versions that VERSION had along the first parents of HEAD, newest first, each with the
 * last commit that had it. Reads a commit only when it is asked for. Yields nothing without a
 * repository or a VERSION file.
 */
export async function* versionHistory(around: Surroundings): AsyncGenerator<VersionAt> {
  requireReadable(around);
  const { repository, versionFile } = around;
  if (repository?.head === undefined || versionFile === undefined) return;
  const { root, head } = repository;
  const path = relative(root, versionFile.path);
  let last: string | undefined = head;
  for (const changed of await commitsOf(root, path)) {
    if (last === undefined) return;
    const text = await readFileAt(root, changed, path);
    if (text !== undefined)
      yield { version: parseVersion(text, `${path} at ${changed.slice(0, 7)}`), commit: last };
    last = await parentOf(root, changed);
  }
}

/** Returns the same place in another checkout of the repository. */
export function relocated(path: string, repository: Repository, checkout: string): string {
  return join(checkout, relative(repository.root, path));
}
