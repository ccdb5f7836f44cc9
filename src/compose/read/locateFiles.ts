import { access, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { NotFoundError, UsageError } from '../../errors.ts';

export interface ComposeFiles {
  /** The folder of the first manifest, absolute: all relative paths start there, and its `.env` counts. */
  folder: string;
  /** Absolute. */
  paths: string[];
}

/**
 * The manifest files meant by the arguments: files as they are; a folder stands for the manifest in it that has a default
 * name, and for the override file beside that, as for Compose. Throws NotFoundError for a folder without one.
 */
export async function locateFiles(named: readonly string[]): Promise<ComposeFiles> {
  const paths: string[] = [];
  for (const name of named) {
    const path = resolve(name);
    if (await isFolder(path)) paths.push(...(await manifestsIn(path)));
    else paths.push(path);
  }
  const [first] = paths;
  if (first === undefined)
    throw new UsageError('no manifest is named', { hint: 'name a Compose file or its folder' });
  return { folder: dirname(first), paths };
}

async function manifestsIn(folder: string): Promise<string[]> {
  const manifest = await firstIn(folder, DEFAULT_NAMES);
  if (manifest === undefined)
    throw new NotFoundError(`folder ${folder} has no manifest: looked for ${DEFAULT_NAMES.join(', ')}`, {
      hint: 'name the Compose file itself',
    });
  const override = await firstIn(folder, OVERRIDE_NAMES);
  return override === undefined ? [manifest] : [manifest, override];
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

/** The names under which Compose looks for a manifest in a folder, the most wanted first. */
export const DEFAULT_NAMES = ['compose.yaml', 'compose.yml', 'docker-compose.yml', 'docker-compose.yaml'];
export const OVERRIDE_NAMES = [
  'compose.override.yml',
  'compose.override.yaml',
  'docker-compose.override.yml',
  'docker-compose.override.yaml',
];
