import { realpath } from 'node:fs/promises';
import { dirname, isAbsolute, join, normalize, relative } from 'node:path';
import { NotFoundError, UsageError } from '../../errors.ts';
import { DEFAULT_NAMES, OVERRIDE_NAMES } from '../read/locateFiles.ts';
import type { EnvFile } from './deviceVariables.ts';
import type { Edit } from './edits.ts';
import { readIgnoreFile } from './ignoreFile.ts';
import { idsOfLinked, isInside, realPaths } from './leftOut.ts';
import type { LocalFile, Skipped, Walk } from './localWalk.ts';
import { gatherPath, isPrivatePath, posix, statIfAny } from './localWalk.ts';
import { namedCredentials } from './namedCredentials.ts';
import type { OwnSecrets } from '../read/variables/ownSecrets.ts';
import type { FileReference } from './references.ts';

export interface LocalFiles {
  /** Sorted by path. */
  files: LocalFile[];
  /** The env files among them. */
  envFiles: EnvFile[];
  /** They make the Compose file name each file where it ships. */
  edits: Edit[];
  warnings: string[];
}

/** The folder for a file that the Compose file names and that has a reserved name. */
const SET_ASIDE = '.set-aside';
/** The folder for files of the repository outside the project folder. */
const OUTSIDE = '.outside';

/** The folders that files may come from. */
interface Bounds {
  /** The project folder, absolute, as given and with links resolved. */
  root: string;
  realRoot: string;
  /** The folder of the git repository around the project, else the project folder. */
  repository: string;
}

/** What one reference leads to, apart from the files. */
type Gathered = Omit<LocalFiles, 'files'>;

/** Where a file is and where it ships. */
interface Place {
  /** Relative to the project folder. */
  path: string;
  /** Relative to the shipped Compose file. */
  shipped: string;
  /** The folder that links must not leave, with links resolved. */
  limit: string;
}

/**
 * Finds the files that the references name, and all files of the folders that they name.
 *
 * Files of the git repository around the project ship too, in a folder of their own. Another file
 * outside the project folder stays where it is if the path is absolute: the device may have it.
 * Links are followed inside the project folder. A folder ships without what the ignore file names,
 * `privatePaths`, repositories, usual files of credentials, and files that would change how Compose
 * on the device reads the application: other Compose files, and those in `steering`.
 *
 * Throws NotFoundError for a missing file that Compose needs, and UsageError for a file that can't
 * be read or that no device could find.
 */
export async function gatherLocalFiles(
  root: string,
  references: readonly FileReference[],
  steering: readonly string[],
  privatePaths: readonly string[],
  secrets: OwnSecrets,
): Promise<LocalFiles> {
  const bounds = { root, realRoot: await realpath(root), repository: await repositoryAround(root) };
  const walk: Walk = {
    root,
    reserved: [...DEFAULT_NAMES, ...OVERRIDE_NAMES, ...steering],
    rules: await readIgnoreFile(root),
    secrets,
    privatePaths: await realPaths(privatePaths),
    privateIds: await idsOfLinked(privatePaths),
    found: new Map(),
    skipped: [],
    linked: { count: 0 },
  };
  const gathered: Gathered[] = [];
  for (const reference of references) gathered.push(await gatherReference(bounds, walk, reference));
  const warnings = [...gathered.flatMap((one) => one.warnings), ...skippedWarnings(walk.skipped)];
  return {
    files: [...walk.found.values()].sort((a, b) => (a.path < b.path ? -1 : 1)),
    envFiles: gathered.flatMap((one) => one.envFiles),
    edits: gathered.flatMap((one) => one.edits),
    warnings: [...new Set(warnings)],
  };
}

async function gatherReference(bounds: Bounds, walk: Walk, reference: FileReference): Promise<Gathered> {
  const { what, path: written, kind } = reference;
  const place = await locate(bounds, walk.reserved, reference);
  if (place === undefined) {
    const warning = `${what}: ${written} is outside the project folder: the device must have it`;
    return { edits: [], envFiles: [], warnings: [warning] };
  }
  const { path, shipped } = place;
  const isElsewhere = isAbsolute(written) || !isInside(normalize(written));
  const edits = isElsewhere || shipped !== path ? reference.renamed(`./${posix(shipped)}`) : [];
  if (!(await requireExisting(bounds, walk, reference, place))) {
    const warning = `${what}: ${written} does not exist: the device creates an empty folder`;
    return { edits, envFiles: [], warnings: kind === 'mount' ? [warning] : [] };
  }
  const credentials = await credentialWarnings(bounds, walk, reference, place);
  await gatherPath(walk, { ...place, what, above: [], isLabelFile: kind === 'label_file' });
  const isEnvFile = kind === 'env_file' || kind === 'raw_env_file';
  return {
    edits,
    envFiles: isEnvFile ? [{ path: join(bounds.root, path), isRaw: kind === 'raw_env_file' }] : [],
    warnings: [
      ...(isInside(path) ? [] : [`${what}: ${written} ships from outside the project folder`]),
      ...credentials,
    ],
  };
}

async function credentialWarnings(
  { root }: Bounds,
  { rules }: Walk,
  reference: FileReference,
  { path, limit }: Place,
): Promise<string[]> {
  const target = relative(limit, await realpath(join(root, path)));
  const paths = [path, target].map(posix);
  return paths.some((one) => rules.decide(one) === false) ? [] : namedCredentials(reference, paths);
}

/** The nearest folder with a git repository, at or above `root`, else `root`. */
export async function repositoryAround(root: string): Promise<string> {
  for (let folder = root; ; folder = dirname(folder)) {
    if ((await statIfAny(join(folder, '.git'))) !== undefined) return folder;
    if (folder === dirname(folder)) return root;
  }
}

/** Returns where the file ships, or undefined if the path means a file of the device. */
async function locate(
  { root, realRoot, repository }: Bounds,
  reserved: readonly string[],
  { what, path }: FileReference,
): Promise<Place | undefined> {
  if (path.startsWith('~')) return undefined;
  const absolute = isAbsolute(path) ? path : join(root, path);
  const inside = relative(root, absolute);
  if (isInside(inside)) {
    const shipped = reserved.includes(inside) ? join(SET_ASIDE, inside) : inside;
    return { path: inside, shipped, limit: realRoot };
  }
  const inRepository = relative(repository, absolute);
  if (isInside(inRepository)) {
    return { path: inside, shipped: join(OUTSIDE, inRepository), limit: await realpath(repository) };
  }
  if (isAbsolute(path)) return undefined;
  throw new UsageError(`${what}: ${path} is outside the project folder ${root}: no device can find it`, {
    hint: 'move it into the project folder, or keep both in one git repository',
  });
}

/** Returns false if the file is missing and may be. Throws for a file that can't ship. */
async function requireExisting(
  { root }: Bounds,
  walk: Walk,
  { what, path: written, kind, isOptional }: FileReference,
  { path, limit }: Place,
): Promise<boolean> {
  const absolute = join(root, path);
  const found = await statIfAny(absolute);
  if (found === undefined) {
    if (isOptional) return false;
    throw new NotFoundError(`${what}: ${written} does not exist in ${root}`, { hint: 'check the path' });
  }
  if (kind === 'env_file' && found.isDirectory()) throw new UsageError(`${what}: ${written} is a folder`);
  if (kind !== 'mount' && found.isFIFO()) throw new UsageError(`${what}: ${written} is a named pipe`);
  const real = await realpath(absolute);
  if (!isInside(relative(limit, real))) {
    throw new UsageError(`${what}: ${written} is a link out of the project folder, to ${real}`, {
      hint: 'replace the link by the file',
    });
  }
  if (isPrivatePath(walk, real, found)) {
    throw new UsageError(`${what}: ${written} is a file of the build and must not ship`);
  }
  return true;
}

/** Paths named in one warning. */
const MOST_NAMED = 5;

/** One warning for each attribute and reason. */
function skippedWarnings(skipped: readonly Skipped[]): string[] {
  const groups = new Map<string, Skipped[]>();
  for (const one of skipped) {
    const key = JSON.stringify([one.what, one.why]);
    groups.set(key, [...(groups.get(key) ?? []), one]);
  }
  return [...groups.values()].map((group) => {
    const [first] = group;
    const paths = [...new Set(group.map(({ path }) => path || '.'))];
    const rest = paths.length - MOST_NAMED;
    const named = paths.slice(0, MOST_NAMED).join(', ');
    const names = rest > 0 ? `${named} and ${rest} more` : named;
    const each = paths.length > 1 ? ': each' : '';
    return `${first?.what ?? ''}: ${names}${each} ${first?.why ?? ''} and is not shipped`;
  });
}
