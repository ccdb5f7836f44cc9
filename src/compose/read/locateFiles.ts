import { access, stat } from 'node:fs/promises';
import { delimiter, dirname, join, resolve } from 'node:path';
import type { Environment } from '../../environment.ts';
import { NotFoundError, UnsupportedError, UsageError } from '../../errors.ts';
import { projectVariables } from './variables/variables.ts';

export interface ComposeFiles {
  /** Absolute: the folder of the first file. Relative paths and `.env` belong to it. */
  folder: string;
  /** Absolute. */
  paths: string[];
}

/**
 * Finds the Compose files that the arguments name. A folder means the files in `COMPOSE_FILE`,
 * of the environment or of the folder's `.env`, or else the Compose file in it that has a default
 * name, and its override file, as in Compose. Throws NotFoundError for a folder without one.
 */
export async function locateFiles(named: readonly string[], environment: Environment): Promise<ComposeFiles> {
  const paths: string[] = [];
  for (const name of named) {
    const path = resolve(name);
    if (await isFolder(path)) for (const one of await composeFilesIn(path, environment)) paths.push(one);
    else paths.push(path);
  }
  const [first] = paths;
  if (first === undefined)
    throw new UsageError('no Compose file is named', { hint: 'name a Compose file or its folder' });
  return { folder: dirname(first), paths };
}

async function composeFilesIn(folder: string, environment: Environment): Promise<string[]> {
  const { lookup } = await projectVariables(folder, environment);
  const files = lookup('COMPOSE_FILE') ?? '';
  if (files === '') return defaultFilesIn(folder);
  const paths = files
    .split(lookup('COMPOSE_PATH_SEPARATOR') || delimiter)
    .map((path) => resolve(folder, path));
  if (dirname(paths[0] ?? '') === folder) return paths;
  throw new UnsupportedError(`COMPOSE_FILE names files outside of ${folder}: ${files}`, {
    hint: 'name the Compose files themselves instead of the folder',
  });
}

async function defaultFilesIn(folder: string): Promise<string[]> {
  const main = await firstIn(folder, DEFAULT_NAMES);
  if (main === undefined)
    throw new NotFoundError(`folder ${folder} has no Compose file: looked for ${DEFAULT_NAMES.join(', ')}`, {
      hint: 'write a compose.yaml there (see docs/quick-start.md), or name another Compose file',
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
