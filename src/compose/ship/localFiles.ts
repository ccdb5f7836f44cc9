import { realpath } from 'node:fs/promises';
import { isAbsolute, join, normalize, relative } from 'node:path';
import { NotFoundError, UsageError } from '../../errors.ts';
import { DEFAULT_NAMES, OVERRIDE_NAMES } from '../read/locateFiles.ts';
import type { Edit } from './edits.ts';
import type { LocalFile, Walk } from './localWalk.ts';
import { gatherPath, isInside, posix, statIfAny } from './localWalk.ts';
import type { FileReference } from './references.ts';

export interface LocalFiles {
  /** Sorted by path. */
  files: LocalFile[];
  /** The env files among them, absolute. */
  envFiles: string[];
  /** They make the Compose file name each file where it ships. */
  edits: Edit[];
  warnings: string[];
}

/** The folder for a file that the Compose file names and that has a reserved name. */
const SET_ASIDE = '.set-aside';

/**
 * Finds the files that the references name, and all files of the folders that they name. Links are
 * followed inside the project folder. Files outside it do not ship, with a warning. Neither do the
 * files of the project folder that would change how Compose on the device reads the application:
 * other Compose files, and those in `steering`. Throws NotFoundError for a missing file that
 * Compose needs, and UsageError for a file that can't be read.
 */
export async function gatherLocalFiles(
  root: string,
  references: readonly FileReference[],
  steering: readonly string[],
): Promise<LocalFiles> {
  const reserved = [...DEFAULT_NAMES, ...OVERRIDE_NAMES, ...steering];
  const walk: Walk = { root, realRoot: await realpath(root), reserved, found: new Map(), warnings: [] };
  const edits: Edit[] = [];
  const envFiles: string[] = [];
  for (const reference of references) {
    const path = await locate(walk, reference);
    if (path === undefined) continue;
    if (reference.kind === 'env_file') envFiles.push(join(root, path));
    const shipped = reserved.includes(path) ? join(SET_ASIDE, path) : path;
    const isElsewhere = isAbsolute(reference.path) || !isInside(normalize(reference.path));
    if (isElsewhere || shipped !== path) edits.push(...reference.renamed(`./${posix(shipped)}`));
    await gatherPath(walk, { path, shipped, what: reference.what, above: [] });
  }
  const files = [...walk.found.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
  return { files, envFiles, edits, warnings: [...new Set(walk.warnings)] };
}

/** Returns the path relative to the project folder, or undefined if the file does not ship. */
async function locate(
  walk: Walk,
  { what, path, kind, isOptional }: FileReference,
): Promise<string | undefined> {
  const absolute = isAbsolute(path) ? path : join(walk.root, path);
  const inside = relative(walk.root, absolute);
  if (path.startsWith('~') || !isInside(inside)) {
    walk.warnings.push(
      `${what}: ${path} is outside the project folder and is not shipped: the device must have it`,
    );
    return undefined;
  }
  const found = await statIfAny(absolute);
  if (found === undefined) {
    missing(walk, what, path, kind, isOptional);
    return undefined;
  }
  if (kind === 'env_file' && found.isDirectory()) throw new UsageError(`${what}: ${path} is a folder`);
  return inside;
}

function missing(walk: Walk, what: string, path: string, kind: string, isOptional: boolean): void {
  if (!isOptional)
    throw new NotFoundError(`${what}: ${path} does not exist in ${walk.root}`, { hint: 'check the path' });
  if (kind === 'mount')
    walk.warnings.push(`${what}: ${path} does not exist: the device creates an empty folder`);
}
