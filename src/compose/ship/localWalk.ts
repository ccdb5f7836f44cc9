import type { Stats } from 'node:fs';
import { open, readdir, realpath, stat } from 'node:fs/promises';
import { isAbsolute, join, relative, sep } from 'node:path';
import { systemCodeOf } from '../../errors.ts';
import { fileError } from '../../io/files.ts';

/** A local file that ships next to the Compose file. */
export interface LocalFile {
  /** Relative to the shipped Compose file, with `/`. */
  path: string;
  /** Where it is on this machine, absolute. */
  file: string;
  /** Bytes. */
  size: number;
  /** Permission bits. */
  mode: number;
}

/** A walk through the files of a project. */
export interface Walk {
  /** The project folder, absolute, as given and with links resolved. */
  root: string;
  realRoot: string;
  /**
   * Names in the project folder that would make Compose on the device read another Compose file.
   */
  reserved: readonly string[];
  found: Map<string, LocalFile>;
  warnings: string[];
}

/** One step of the walk. */
interface Step {
  /** Relative to the project folder. */
  path: string;
  /** Relative to the shipped Compose file. */
  shipped: string;
  /** The attribute that named it, for messages. */
  what: string;
  /** The folders around it, with links resolved. */
  above: readonly string[];
}

/** Adds the file at the step, or all files of the folder there, to the walk. */
export async function gatherPath(walk: Walk, step: Step): Promise<void> {
  const real = await realpath(join(walk.root, step.path)).catch(() => undefined);
  const found = real === undefined ? undefined : await statIfAny(real);
  if (real === undefined || found === undefined) skip(walk, step, 'is a link to nothing');
  else if (!isInside(relative(walk.realRoot, real))) skip(walk, step, 'is a link out of the project folder');
  else if (step.above.includes(real)) skip(walk, step, 'is a link into itself');
  else if (found.isDirectory()) await gatherFolder(walk, { ...step, above: [...step.above, real] });
  else if (!found.isFile()) skip(walk, step, 'is neither a file nor a folder');
  else {
    await requireReadable(real, step);
    const path = posix(step.shipped);
    walk.found.set(path, { path, file: real, size: found.size, mode: found.mode & 0o777 });
  }
}

/** Checked now, since files are packed only after all images were fetched. */
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
    if (path === '.git') skip(walk, step, 'is the git repository');
    else if (walk.reserved.includes(path)) skip(walk, step, 'would change how Compose reads the application');
    else await gatherPath(walk, step);
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

/**
 * Returns undefined if nothing exists at the path. Throws UsageError if that can't be found out.
 */
export async function statIfAny(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path);
  } catch (error) {
    const code = systemCodeOf(error);
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ELOOP') return undefined;
    throw fileError(error, `reading ${path}`);
  }
}

/** True for a relative path that stays below its folder. */
export function isInside(path: string): boolean {
  return path !== '..' && !path.startsWith(`..${sep}`) && !isAbsolute(path);
}

/** The path with `/`. */
export function posix(path: string): string {
  return path.split(sep).join('/');
}
