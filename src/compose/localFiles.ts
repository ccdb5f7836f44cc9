import { open, readdir, realpath, stat } from 'node:fs/promises';
import { isAbsolute, join, normalize, relative, sep } from 'node:path';
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
  /** The env files among them, absolute. */
  envFiles: string[];
  /** Paths into the project folder that are absolute or begin outside it, made relative to it. */
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
  /** Names in the root that would make Compose on the device read something else than the shipped manifest. */
  reserved: readonly string[];
  found: Map<string, LocalFile>;
  warnings: string[];
}

/** Where a file with a reserved name goes when the manifest names it: the manifest is made to name it there. */
const SET_ASIDE = '.set-aside';

/**
 * Finds the files that the references lead to, folders with all that is in them. Links are followed inside the
 * project folder. What lies outside it stays behind, with a warning. `steering` names files in the project folder that Compose
 * on the device must not find, as other manifests. Throws NotFoundError for a missing file that Compose can't do without, and
 * UsageError for one that can't be read.
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
    await gather(walk, { path, shipped, what: reference.what, above: [] });
  }
  const files = [...walk.found.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
  return { files, envFiles, edits, warnings: [...new Set(walk.warnings)] };
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

/** One step of the walk. */
interface Step {
  /** Relative to the project folder. */
  path: string;
  /** Relative to the shipped manifest. */
  shipped: string;
  /** What led here. */
  what: string;
  /** The folders around it, without links. */
  above: readonly string[];
}

async function gather(walk: Walk, step: Step): Promise<void> {
  const real = await realpath(join(walk.root, step.path)).catch(() => undefined);
  const found = real === undefined ? undefined : await statIfAny(real);
  if (real === undefined || found === undefined) skip(walk, step, 'is a link to nothing');
  else if (!isInside(relative(walk.realRoot, real))) skip(walk, step, 'is a link out of the project folder');
  else if (step.above.includes(real)) skip(walk, step, 'is a link into itself');
  else if (found.isDirectory()) await gatherFolder(walk, { ...step, above: [...step.above, real] });
  else if (!found.isFile()) skip(walk, step, 'is neither file nor folder');
  else {
    await requireReadable(real, step);
    const path = posix(step.shipped);
    walk.found.set(path, { path, file: real, size: found.size, mode: found.mode & 0o777 });
  }
}

/** Found out now, as the files are only packed after all images have come. */
async function requireReadable(file: string, { what }: Step): Promise<void> {
  try {
    await (await open(file)).close();
  } catch (error) {
    throw fileError(error, `${what}: reading ${file}`);
  }
}

async function gatherFolder(walk: Walk, folder: Step): Promise<void> {
  const names = await namesIn(join(walk.root, folder.path));
  if (names.length === 0) skip(walk, folder, 'is an empty folder');
  for (const name of names) {
    const path = join(folder.path, name);
    const step = { ...folder, path, shipped: path };
    if (path === '.git') skip(walk, step, 'is the repository itself');
    else if (walk.reserved.includes(path)) skip(walk, step, 'steers Compose itself');
    else await gather(walk, step);
  }
}

function skip(walk: Walk, { path, what }: Step, why: string): void {
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
