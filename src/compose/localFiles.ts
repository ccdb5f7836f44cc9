import { readdir, realpath, stat } from 'node:fs/promises';
import { isAbsolute, join, relative, sep } from 'node:path';
import { NotFoundError, UsageError, systemCodeOf } from '../errors.ts';
import { fileError } from '../io/files.ts';
import type { Edit } from './edits.ts';
import type { FileReference } from './references.ts';

/** A file to ship beside the manifest. */
export interface LocalFile {
  /** Relative to the manifest, with `/`. */
  path: string;
  /** Where it is now, absolute. */
  file: string;
  /** Bytes. */
  size: number;
  /** Permission bits. */
  mode: number;
}

export interface LocalFiles {
  /** Sorted by path. */
  files: LocalFile[];
  /** Absolute paths into the project folder, made relative. */
  edits: Edit[];
  warnings: string[];
}

/** The names under which Compose looks for a manifest in a folder, the most wanted first. */
export const DEFAULT_NAMES = ['compose.yaml', 'compose.yml', 'docker-compose.yml', 'docker-compose.yaml'];
export const OVERRIDE_NAMES = [
  'compose.override.yml',
  'compose.override.yaml',
  'docker-compose.override.yml',
  'docker-compose.override.yaml',
];

interface Walk {
  /** The project folder, absolute, and what it really is behind symbolic links. */
  root: string;
  realRoot: string;
  found: Map<string, LocalFile>;
  warnings: string[];
}

/**
 * Finds the files that the references lead to, folders with all that is in them. Links are followed inside the
 * project folder. What lies outside it stays behind, with a warning. Throws NotFoundError for a missing file that
 * Compose can't do without.
 */
export async function gatherLocalFiles(
  root: string,
  references: readonly FileReference[],
): Promise<LocalFiles> {
  const walk: Walk = { root, realRoot: await realpath(root), found: new Map(), warnings: [] };
  const edits: Edit[] = [];
  for (const reference of references) {
    const path = await locate(walk, reference);
    if (path === undefined) continue;
    if (isAbsolute(reference.path)) edits.push(reference.renamed(`./${path}`));
    await gather(walk, path, reference.what, []);
  }
  const files = [...walk.found.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
  return { files, edits, warnings: [...new Set(walk.warnings)] };
}

/** Where the reference leads, relative to the project folder, when it is there to be shipped. */
async function locate(
  walk: Walk,
  { what, path, kind, isOptional }: FileReference,
): Promise<string | undefined> {
  const absolute = isAbsolute(path) ? path : join(walk.root, path);
  const inside = relative(walk.root, absolute);
  if (path.startsWith('~') || !isInside(inside)) {
    walk.warnings.push(
      `${what}: ${path} lies outside the project folder and is not shipped: the device must have it`,
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
    walk.warnings.push(`${what}: ${path} does not exist: the device makes an empty folder`);
}

async function gather(walk: Walk, path: string, what: string, above: readonly string[]): Promise<void> {
  const real = await realpath(join(walk.root, path)).catch(() => undefined);
  const found = real === undefined ? undefined : await statIfAny(real);
  if (real === undefined || found === undefined) skip(walk, what, path, 'is a link to nothing');
  else if (!isInside(relative(walk.realRoot, real)))
    skip(walk, what, path, 'is a link out of the project folder');
  else if (above.includes(real)) skip(walk, what, path, 'is a link into itself');
  else if (found.isDirectory()) await gatherFolder(walk, path, what, [...above, real]);
  else if (!found.isFile()) skip(walk, what, path, 'is neither file nor folder');
  else
    walk.found.set(posix(path), {
      path: posix(path),
      file: real,
      size: found.size,
      mode: found.mode & 0o777,
    });
}

async function gatherFolder(walk: Walk, path: string, what: string, above: readonly string[]): Promise<void> {
  for (const name of await namesIn(join(walk.root, path))) {
    const inner = join(path, name);
    const why = reasonToSkip(inner);
    if (why === undefined) await gather(walk, inner, what, above);
    else skip(walk, what, inner, why);
  }
}

/** Compose on the device would read another manifest than the shipped one, or a repository would go to the fleet. */
function reasonToSkip(path: string): string | undefined {
  if (path === '.git') return 'is the repository itself';
  return DEFAULT_NAMES.includes(path) || OVERRIDE_NAMES.includes(path) ? 'is a manifest itself' : undefined;
}

function skip(walk: Walk, what: string, path: string, why: string): void {
  walk.warnings.push(`${what}: ${path} ${why} and is not shipped`);
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).sort();
  } catch (error) {
    throw fileError(error, `reading folder ${folder}`);
  }
}

async function statIfAny(path: string) {
  try {
    return await stat(path);
  } catch (error) {
    const code = systemCodeOf(error);
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ELOOP') return undefined;
    throw fileError(error, `reading ${path}`);
  }
}

function isInside(path: string): boolean {
  return path !== '..' && !path.startsWith(`..${sep}`) && !isAbsolute(path);
}

function posix(path: string): string {
  return path.split(sep).join('/');
}
