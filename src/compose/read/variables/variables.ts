import type { Environment } from '../../../environment.ts';
import { readUserFile, readUserFileIfAny } from '../../../io/readUserFile.ts';
import { parseDotenv } from './dotenv.ts';
import { envFilesOf } from './envFiles.ts';
import type { NamedSecret } from './ownSecrets.ts';
import { OwnSecrets } from './ownSecrets.ts';
import { isSteering } from './steering.ts';
import type { Lookup } from './template.ts';

const BUILD_ENVIRONMENT = 'the environment of the build';

/**
 * The variables of a project. A value is local if a device would not get it from the shipped files:
 * it comes from, or depends on, the environment of the build, or it would change Compose itself.
 */
export interface Variables {
  lookup: Lookup;
  isLocal: (name: string) => boolean;
  /** True if the environment of the build gives or changes the value. */
  isFromBuild: (name: string) => boolean;
  /** The file that gives the value, or `the environment of the build`. */
  originOf: (name: string) => string;
  /** The variables of the env files of the project. */
  file: ReadonlyMap<string, string>;
  /** True if the user names other files than the `.env` of the project. */
  replacesDotenv: boolean;
  /** What must not ship. */
  secrets: OwnSecrets;
}

/**
 * The environment, then the env files of the project. Throws UsageError for a file that can't be
 * read, and NotFoundError for a missing file that the user names.
 */
export async function projectVariables(
  folder: string,
  environment: Environment,
  named: readonly NamedSecret[] = [],
): Promise<Variables> {
  const envFiles = envFilesOf(folder, environment);
  // Names like `constructor` are fields of every object.
  const own: Lookup = (name) => (Object.hasOwn(environment, name) ? environment[name] : undefined);
  const file = new Map<string, string>();
  const alone = new Map<string, string>();
  const origins = new Map<string, string>();
  for (const path of envFiles.paths) {
    const text = envFiles.areNamed ? await textOf(path, `env file ${path}`) : await textIfAny(path);
    for (const [name, value] of parseDotenv(text, path, (one) => own(one) ?? file.get(one))) {
      file.set(name, value);
      origins.set(name, path);
    }
    for (const [name, value] of parseDotenvAlone(text, path, alone)) alone.set(name, value);
  }
  const lookup: Lookup = (name) => own(name) ?? file.get(name);
  const isFromBuild = (name: string) => lookup(name) !== undefined && lookup(name) !== alone.get(name);
  const isLocal = (name: string) => isFromBuild(name) || (isSteering(name) && lookup(name) !== undefined);
  const originOf = (name: string) =>
    environment[name] === undefined ? (origins.get(name) ?? '') : BUILD_ENVIRONMENT;
  const secrets = new OwnSecrets(lookup, named);
  return { lookup, isLocal, isFromBuild, originOf, file, replacesDotenv: envFiles.areNamed, secrets };
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
    const text = await textOf(path, `include: env_file ${path}`);
    for (const [name, value] of parseDotenv(text, path, known)) {
      given.set(name, value);
      origins.set(name, path);
    }
  }
  const originOf = (name: string) =>
    outer.lookup(name) === undefined ? (origins.get(name) ?? '') : outer.originOf(name);
  const lookup: Lookup = (name) => outer.lookup(name) ?? given.get(name);
  return { ...outer, lookup, originOf, isLocal: () => true, secrets: outer.secrets.withLookup(lookup) };
}

/** `variables` with a default for one more name. The default is not local. */
export function withDefault(variables: Variables, name: string, value: string): Variables {
  return {
    ...variables,
    lookup: (asked) => variables.lookup(asked) ?? (asked === name ? value : undefined),
  };
}

/** The values without the environment; none if a required variable comes from it. */
function parseDotenvAlone(
  text: string,
  path: string,
  before: ReadonlyMap<string, string>,
): ReadonlyMap<string, string> {
  try {
    return parseDotenv(text, path, (name) => before.get(name));
  } catch {
    return new Map();
  }
}

async function textIfAny(path: string): Promise<string> {
  return (await readUserFileIfAny(path))?.toString('utf8') ?? '';
}

async function textOf(path: string, doing: string): Promise<string> {
  return (await readUserFile(path, { doing })).toString('utf8');
}
