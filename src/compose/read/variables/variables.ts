import { readFile } from 'node:fs/promises';
import { UsageError, messageOf, systemCodeOf } from '../../../errors.ts';
import { parseDotenv } from './dotenv.ts';
import type { Lookup } from './template.ts';

const BUILD_ENVIRONMENT = 'the environment of the build';

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The variables of a project. A value is local if a device would not get it from the shipped files:
 * it comes from, or depends on, the environment of the build.
 */
export interface Variables {
  lookup: Lookup;
  isLocal: (name: string) => boolean;
  /** True if the environment of the build gives or changes the value. */
  isFromBuild: (name: string) => boolean;
  /** The file that gives the value, or `the environment of the build`. */
  originOf: (name: string) => string;
  /** The variables of the `.env` file. */
  file: ReadonlyMap<string, string>;
}

/** The environment, then the `.env` of the project's folder if there is one. Throws UsageError. */
export async function projectVariables(folder: string, environment: Environment): Promise<Variables> {
  const path = `${folder}/.env`;
  const text = environment['COMPOSE_DISABLE_ENV_FILE'] === '1' ? undefined : await textIfAny(path);
  const own: Lookup = (name) => environment[name];
  const file = text === undefined ? new Map<string, string>() : parseDotenv(text, path, own);
  const alone = text === undefined ? file : parseDotenvAlone(text, path);
  const lookup: Lookup = (name) => environment[name] ?? file.get(name);
  const isLocal = (name: string) => lookup(name) !== undefined && lookup(name) !== alone.get(name);
  const originOf = (name: string) => (environment[name] === undefined ? path : BUILD_ENVIRONMENT);
  return { lookup, isLocal, isFromBuild: isLocal, originOf, file };
}

/**
 * The variables for an include: those of `outer`, then those of `files`, all of them local. Throws
 * UsageError for a missing file.
 */
export async function includeVariables(outer: Variables, files: readonly string[]): Promise<Variables> {
  const given = new Map<string, string>();
  const origins = new Map<string, string>();
  for (const path of files) {
    const known: Lookup = (name) => outer.lookup(name) ?? given.get(name);
    const text = await textIfAny(path);
    if (text === undefined) throw new UsageError(`include: env_file ${path}: no such file`);
    for (const [name, value] of parseDotenv(text, path, known)) {
      given.set(name, value);
      origins.set(name, path);
    }
  }
  const originOf = (name: string) =>
    outer.lookup(name) === undefined ? (origins.get(name) ?? '') : outer.originOf(name);
  const lookup: Lookup = (name) => outer.lookup(name) ?? given.get(name);
  return { ...outer, lookup, originOf, isLocal: () => true };
}

/** `variables` with a default for one more name. The default is not local. */
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
    return new Map(); // a required variable comes from the environment, so all values are local
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
