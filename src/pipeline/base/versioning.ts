import { join, relative } from 'node:path';
import { UsageError } from '../../errors.ts';
import type { Repository } from '../../git/repository.ts';
import { findRepository, readFileAt } from '../../git/repository.ts';
import type { VersionFile } from '../../git/version.ts';
import { developmentVersion, findVersionFile, parseVersion } from '../../git/version.ts';

/** Where a manifest stands: what git and the VERSION file say of its folder. */
export interface Surroundings {
  /** Absolute folder of the manifest. */
  folder: string;
  repository?: Repository;
  versionFile?: VersionFile;
}

/** Looks around a manifest's folder. */
export async function surroundingsOf(folder: string): Promise<Surroundings> {
  const repository = await findRepository(folder);
  const versionFile = await findVersionFile(folder, repository?.root ?? folder);
  return { folder, ...(repository ? { repository } : {}), ...(versionFile ? { versionFile } : {}) };
}

/**
 * The new artifact's version: `given`, else VERSION's content for a release, else a development version that names the
 * commit. Throws UsageError that names --artifact-version where there is nothing to make it from.
 */
export function chooseVersion(around: Surroundings, given: string | undefined, release: boolean): string {
  if (given !== undefined) return given;
  const hint = 'give the version with --artifact-version';
  if (around.versionFile === undefined) {
    throw new UsageError(`no VERSION file in ${around.folder} or above it`, {
      hint: `write one, or ${hint}`,
    });
  }
  if (release) return around.versionFile.version;
  const head = around.repository?.head;
  if (head === undefined)
    throw new UsageError(`${around.folder} is in no git repository with a commit`, { hint });
  return developmentVersion(around.versionFile.version, head);
}

/** `<repository folder>-<manifest folder>`, or the folder's name alone outside of git or at the repository's top. */
export function defaultApplicationName({ folder, repository }: Surroundings): string {
  const last = (path: string): string => path.split('/').filter(Boolean).at(-1) ?? 'application';
  if (repository === undefined || relative(repository.root, folder) === '') return last(folder);
  return `${last(repository.root)}-${last(folder)}`;
}

/** The version that VERSION had at the first parent of HEAD; undefined if it was not there. */
export async function releasedBefore(around: Surroundings): Promise<string | undefined> {
  const { repository, versionFile } = around;
  if (repository?.head === undefined || versionFile === undefined) return undefined;
  const path = relative(repository.root, versionFile.path);
  const text = await readFileAt(repository.root, 'HEAD^1', path);
  return text === undefined ? undefined : parseVersion(text, `${path} at HEAD^1`);
}

/** The same place inside another checkout of the repository. */
export function relocated(path: string, repository: Repository, checkout: string): string {
  return join(checkout, relative(repository.root, path));
}
