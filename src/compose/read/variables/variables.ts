import { readFile } from 'node:fs/promises';
import { UsageError, messageOf, systemCodeOf } from '../../../errors.ts';
import { parseDotenv } from './dotenv.ts';
import type { Lookup } from './template.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The variables of a project. A value is `local` when it holds on the build machine alone: it comes from the build's own
 * environment. One that the project's `.env` gives all by itself, or that nothing gives, is not.
 */
export interface Variables {
  lookup: Lookup;
  isLocal: (name: string) => boolean;
  /** True for a value that the build's environment gives, or changes. */
  isFromBuild: (name: string) => boolean;
  /** What the `.env` file gives. */
  file: ReadonlyMap<string, string>;
}

/** The variables of the environment above those of the `.env` in the project's folder (there may be none). */
export async function projectVariables(folder: string, environment: Environment): Promise<Variables> {
  const path = `${folder}/.env`;
  const text = environment['COMPOSE_DISABLE_ENV_FILE'] === '1' ? undefined : await textIfAny(path);
  const own: Lookup = (name) => environment[name];
  const file = text === undefined ? new Map<string, string>() : parseDotenv(text, path, own);
  const alone = text === undefined ? file : parseDotenvAlone(text, path);
  const lookup: Lookup = (name) => environment[name] ?? file.get(name);
  const isLocal = (name: string) => lookup(name) !== undefined && lookup(name) !== alone.get(name);
  return { lookup, isLocal, isFromBuild: isLocal, file };
}

/** `outer` above what `files` give, all of it local: for the files of an include. Throws UsageError for a missing file. */
export async function includeVariables(outer: Variables, files: readonly string[]): Promise<Variables> {
  const given = new Map<string, string>();
  for (const path of files) {
    const known: Lookup = (name) => outer.lookup(name) ?? given.get(name);
    const text = await textIfAny(path);
    if (text === undefined) throw new UsageError(`include: env_file ${path}: no such file`);
    for (const [name, value] of parseDotenv(text, path, known)) given.set(name, value);
  }
  return { ...outer, lookup: (name) => outer.lookup(name) ?? given.get(name), isLocal: () => true };
}

/** `variables` with one more name, below all others, that is not local. */
export function withDefault(variables: Variables, name: string, value: string): Variables {
  return {
    ...variables,
    lookup: (asked) => variables.lookup(asked) ?? (asked === name ? value : undefined),
  };
}

function parseDotenvAlone(text: string, path: string): Map<string, string> {
  try {
    return parseDotenv(text, path, () => undefined);
  } catch {
    return new Map(); // a required variable that only the environment has: then nothing holds elsewhere
  }
}

async function textIfAny(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const code = systemCodeOf(error);
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EISDIR') return undefined;
    throw new UsageError(`reading ${path}: ${messageOf(error)}`, { cause: error });
  }
}
