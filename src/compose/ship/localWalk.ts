import type { Stats } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import { basename, join, relative, sep } from 'node:path';
import { UsageError, systemCodeOf } from '../../errors.ts';
import { fileError, firstBytes } from '../../io/files.ts';
import { isNamedLikeDotenv, ownSecretIn } from './dotenvSecrets.ts';
import type { IgnoreRules } from './ignoreFile.ts';
import {
  PAGE_START,
  fileId,
  isAtOrBelow,
  isBareRepository,
  isInside,
  reasonByName,
  reasonInPath,
} from './leftOut.ts';
import { mustNotShip } from './namedCredentials.ts';
import type { OwnSecrets } from '../read/variables/ownSecrets.ts';

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

/** A file that was found and does not ship. */
export interface Skipped {
  /** The attribute that named it or its folder. */
  what: string;
  /** Relative to the project folder. */
  path: string;
  why: string;
}

/** A walk through the files of a project. */
export interface Walk {
  /** The project folder, absolute. */
  root: string;
  /**
   * Names in the project folder that would make Compose on the device read another Compose file.
   */
  reserved: readonly string[];
  rules: IgnoreRules;
  secrets: OwnSecrets;
  /** Absolute, with links resolved. These and all below them never ship. */
  privatePaths: readonly string[];
  /** The ids of those with hard links, which never ship under another name either. */
  privateIds: ReadonlySet<string>;
  found: Map<string, LocalFile>;
  skipped: Skipped[];
  /** How many files and folders the walk has reached through links inside of folders. */
  linked: { count: number };
}

/** Folders that link to each other give far more paths than there are files. */
const MOST_LINKED = 20_000;

/** One step of the walk. */
export interface WalkStep {
  /** Relative to the project folder. */
  path: string;
  /** Relative to the shipped Compose file. */
  shipped: string;
  /** The attribute that named it, for messages. */
  what: string;
  /** The folder that links must not leave, absolute, with links resolved. */
  limit: string;
  /** The folders around it, with links resolved. */
  above: readonly string[];
  /** True for a file of labels, which has the form of a file of variables. */
  isLabelFile?: boolean;
  /** True if a link inside of a folder led here. */
  isLinked?: boolean;
}

/**
 * Adds the file at the step, or all files of the folder there, to the walk. Throws UsageError for
 * a file that can't be read, for two files of one path, and if links lead to more than 20000 files.
 */
export async function gatherPath(walk: Walk, asked: WalkStep): Promise<void> {
  const real = await realpath(join(walk.root, asked.path)).catch(() => undefined);
  const step = { ...asked, isLinked: isReachedByLink(asked, real) };
  if (step.isLinked) countLinked(walk, step);
  const found = real === undefined ? undefined : await statIfAny(real);
  const heldBackFor = real === undefined ? undefined : heldBack(walk, step, real);
  if (real === undefined || found === undefined) skip(walk, step, 'is a link to nothing');
  else if (!isInside(relative(step.limit, real))) skip(walk, step, 'is a link out of the project folder');
  else if (step.above.includes(real)) skip(walk, step, 'is a link into itself');
  else if (isPrivatePath(walk, real, found)) skip(walk, step, 'is a file of the build');
  else if (heldBackFor !== undefined) skip(walk, step, heldBackFor);
  else if (found.isDirectory()) await gatherFolder(walk, { ...step, above: [...step.above, real] });
  else if (!found.isFile()) skip(walk, step, 'is neither a file nor a folder');
  else await gatherFile(walk, step, real, found);
}

/** True for a private file, also by a hard link, and for all in a private folder. */
export function isPrivatePath({ privatePaths, privateIds }: Walk, real: string, found: Stats): boolean {
  return isAtOrBelow(real, privatePaths) || privateIds.has(fileId(found));
}

function isReachedByLink({ path, above, isLinked }: WalkStep, real: string | undefined): boolean {
  const around = above.at(-1);
  return isLinked === true || (around !== undefined && real !== join(around, basename(path)));
}

function countLinked({ linked }: Walk, { what, path }: WalkStep): void {
  linked.count += 1;
  if (linked.count <= MOST_LINKED) return;
  throw new UsageError(`${what}: links lead to more than ${MOST_LINKED} files, the last one is ${path}`, {
    hint: 'exclude folders of links with .menderignore',
  });
}

/** Returns why links in a folder lead to a file that does not ship under its own name. */
function heldBack({ rules }: Walk, { path, limit, above }: WalkStep, real: string): string | undefined {
  const [named] = above;
  const target = posix(relative(limit, real));
  if (named === undefined || [path, target].some((one) => rules.decide(posix(one)) === false))
    return undefined;
  const why = reasonInPath(target, posix(relative(limit, named)));
  return why === undefined ? undefined : `leads to ${target}, which ${why}`;
}

async function gatherFile(walk: Walk, step: WalkStep, real: string, { size, mode }: Stats): Promise<void> {
  const isPage = await isReportPage(real, step);
  const isInFolder = step.above.length > 0;
  if (isPage && isInFolder && walk.rules.decide(posix(step.path)) !== false) {
    skip(walk, step, 'is a file of the build');
    return;
  }
  const isDotenv = step.isLabelFile === true || [step.path, real].some(isNamedLikeDotenv);
  const secret = isDotenv ? await ownSecretIn(real, walk.secrets.names) : undefined;
  if (secret !== undefined && isInFolder) {
    skip(walk, step, 'has a secret of the build');
    return;
  }
  if (secret !== undefined) walk.secrets.refuseName(secret, real);
  const path = posix(step.shipped);
  const other = walk.found.get(path)?.file;
  if (other !== undefined && other !== real) {
    throw new UsageError(`${step.what}: ${real} and ${other} would both ship as ${path}`, {
      hint: 'rename one of them',
    });
  }
  walk.found.set(path, { path, file: real, size, mode: mode & 0o777 });
}

/**
 * True for a page of `--report-html`. Throws for a file that can't be read: files are packed only
 * after all images were fetched.
 */
async function isReportPage(path: string, { what }: WalkStep): Promise<boolean> {
  try {
    const start = await firstBytes(path, PAGE_START.length);
    return path.endsWith('.html') && start.toString() === PAGE_START;
  } catch (error) {
    throw fileError(error, `${what}: reading ${path}`);
  }
}

async function gatherFolder(walk: Walk, folder: WalkStep): Promise<void> {
  const names = await namesIn(join(walk.root, folder.path));
  if (names.length === 0) skip(walk, folder, 'is an empty folder');
  if (isBareRepository(names) && walk.rules.decide(posix(folder.path)) !== false) {
    if (folder.above.length === 1) throw mustNotShip(folder.what, folder.path, posix(folder.path));
    skip(walk, folder, 'is a git repository');
    return;
  }
  for (const name of names) {
    const step = { ...folder, path: join(folder.path, name), shipped: join(folder.shipped, name) };
    const path = posix(step.path);
    const isIgnored = walk.rules.decide(path);
    const why = isIgnored === false ? undefined : reasonByName(path);
    if (walk.reserved.includes(path)) skip(walk, step, 'would change how Compose reads the application');
    else if (why !== undefined) skip(walk, step, why);
    else if (isIgnored === true) await gatherKept(walk, step);
    else await gatherPath(walk, step);
  }
}

/** Gathers what exceptions of the ignore file keep of an ignored folder. */
async function gatherKept(walk: Walk, step: WalkStep): Promise<void> {
  if (!walk.rules.hasExceptions) return;
  const found = await statIfAny(join(walk.root, step.path));
  if (found?.isDirectory() !== true) return;
  const quiet: Walk = { ...walk, skipped: [] };
  await gatherPath(quiet, step);
}

function skip(walk: Walk, { path, what }: WalkStep, why: string): void {
  walk.skipped.push({ what, path, why });
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

/** The path with `/`. */
export function posix(path: string): string {
  return path.split(sep).join('/');
}
