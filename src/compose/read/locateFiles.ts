import { access, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { NotFoundError, UsageError } from '../../errors.ts';

export interface ComposeFiles {
  /** Absolute: the folder of the first file. Relative paths and `.env` belong to it. */
  folder: string;
  /** Absolute. */
  paths: string[];
}

/**
 * Finds the Compose files that the arguments name. A folder stands for the Compose file in it that
 * has a default name and for its override file, as in Compose. Throws NotFoundError for a folder
 * without one.
 */
export async function locateFiles(named: readonly string[]): Promise<ComposeFiles> {
  const paths: string[] = [];
  for (const name of named) {
    const path = resolve(name);
    if (await isFolder(path)) paths.push(...(await composeFilesIn(path)));
    else paths.push(path);
  }
  const [first] = paths;
  if (first === undefined)
    throw new UsageError('no Compose file is named', { hint: 'name a Compose file or its folder' });
  return { folder: dirname(first), paths };
}

async function composeFilesIn(folder: string): Promise<string[]> {
  const main = await firstIn(folder, DEFAULT_NAMES);
  if (main === undefined)
    throw new NotFoundError(`folder ${folder} has no Compose file: looked for ${DEFAULT_NAMES.join(', ')}`, {
      hint: 'name the Compose file itself',
    });
  const override = await firstIn(folder, OVERRIDE_NAMES);
  return override === undefined ? [main] : [main, override];
}

async function firstIn(folder: string, names: readonly string[]): Promise<string | undefined> {
  for (const name of names) {
    const path = join(folder, name);
    const isThere = await access(path).then(
      () => true,
      () => false,
    );
    if (isThere) return path;
  }
  return undefined;
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

/** The names that Compose looks for in a folder, in order of preference. */
export const DEFAULT_NAMES = ['compose.yaml', 'compose.yml', 'docker-compose.yml', 'docker-compose.yaml'];
export const OVERRIDE_NAMES = [
  'compose.override.yml',
  'compose.override.yaml',
  'docker-compose.override.yml',
  'docker-compose.override.yaml',
];
