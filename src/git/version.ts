import { dirname, join, relative } from 'node:path';
import { readUserFileIfAny } from '../io/readUserFile.ts';
import { UsageError } from '../errors.ts';

/** The file that names the version of an application. */
export interface VersionFile {
  path: string;
  /** Its first line without surrounding spaces. */
  version: string;
}

/**
 * Returns the VERSION file nearest to `folder`: in it, or above it up to `top`; undefined if there
 * is none. Throws UsageError for a VERSION file that is empty or can't be read.
 */
export async function findVersionFile(folder: string, top: string): Promise<VersionFile | undefined> {
  for (let at = folder; ; at = dirname(at)) {
    const path = join(at, 'VERSION');
    const bytes = await readUserFileIfAny(path);
    if (bytes !== undefined) return { path, version: parseVersion(bytes.toString('utf8'), path) };
    if (relative(top, at) === '' || at === dirname(at)) return undefined;
  }
}

/**
 * Returns the version in the text of a VERSION file. Throws UsageError that names `path` if the
 * first line is not exactly one version.
 */
export function parseVersion(text: string, path: string): string {
  const version = text.split('\n')[0]?.trim() ?? '';
  if (/^[^\s/\\]+$/.test(version)) return version;
  throw new UsageError(`${path}: expected one version in the first line, found ${JSON.stringify(version)}`, {
    hint: ({ option }) => `write a version like 1.2.3 into it, or give ${option('artifact-version')}`,
  });
}

/**
 * A version for a build between releases: `VERSION+COMMIT+BUILD`, with 7 characters of the commit
 * and the UUID of the run. Pure.
 */
export function developmentVersion(version: string, head: string, buildId: string): string {
  return `${version}+${head.slice(0, 7)}+${buildId}`;
}
