import { join, resolve } from 'node:path';
import { credentialsIn } from '../../compose/read/variables/ownSecrets.ts';
import type { NamedSecret } from '../../compose/read/variables/ownSecrets.ts';
import { readUserFileIfAny } from '../../io/readUserFile.ts';
import { registerSecret } from '../../io/redact.ts';
import type { Profile } from '../../pipeline/destinations/profiles.ts';
import { readProfiles } from '../../pipeline/destinations/profiles.ts';
import { certificateFolders } from '../../registry/certificates.ts';
import { credentialLocation } from '../../registry/credentialFiles.ts';
import { tokenPath } from '../../server/token.ts';
import { stateFolder } from '../options/cacheFolder.ts';
import { sharedFolders } from '../options/sharedCache.ts';
import { cliConfigurationPath, userSettingsPath } from '../options/userSettings.ts';
import type { Context } from '../terminal/command.ts';
import { nonEmpty } from '../terminal/home.ts';

/** Characters. Shorter values are in too many lines by chance to be hidden in all output. */
const SHORTEST = 8;

/**
 * Characters. People choose words for passwords of registries, and words are in other texts too.
 */
const SHORTEST_PASSWORD = 16;

/** The options that name files with secrets, and folders of shared caches. */
interface FileFlags {
  tokenFile?: string | undefined;
  config?: string | undefined;
  cacheKey?: string | undefined;
  cacheFrom?: string[] | undefined;
  cacheTo?: string[] | undefined;
}

type Place = Pick<Context, 'environment' | 'folder' | 'home'>;

/**
 * The files and folders in which this tool finds credentials or keeps its own state, absolute. No
 * artifact may hold one of them, and a project folder may be around them. They need not exist.
 * Throws UsageError for a shared cache in an invalid place.
 */
export async function ownFiles(flags: FileFlags, place: Place): Promise<string[]> {
  const absolute = configurations(flags, place);
  const paths = [
    ...[stateFolder(place), flags.tokenFile, flags.cacheKey, cliConfigurationPath(place)],
    ...sharedFolders(flags, place.folder),
    ...menderToken(place),
    ...dockerFiles(place),
    ...certificateFolders(place.environment, place.home),
    ...(await serversIn(absolute)).map(({ tokenFile }) => tokenFile),
  ];
  const named = paths.filter((path) => path !== undefined && path !== '') as string[];
  return [...new Set([...absolute, ...named.map((path) => resolve(place.folder, path))])];
}

/** The user's own configuration and that of --config, absolute. */
function configurations({ config }: FileFlags, place: Place): string[] {
  const paths = [userSettingsPath(place), config].filter((path) => path !== undefined);
  return paths.map((path) => resolve(place.folder, path));
}

function menderToken({ environment }: Place): string[] {
  const path = tokenPath(environment);
  return path === undefined ? [] : [path, `${path}.host`];
}

/** Credentials for registries, and keys for daemons. */
function dockerFiles({ environment, home }: Place): string[] {
  const { folder, authFile, authFiles = [] } = credentialLocation(environment, home);
  const keys = nonEmpty(environment['DOCKER_CERT_PATH']) ?? folder;
  const own = [join(folder, 'config.json'), join(folder, 'contexts'), join(keys, 'key.pem')];
  return [...own, ...authFiles, ...(authFile === undefined ? [] : [authFile])];
}

/** A faulty file is an error where it is used. */
async function serversIn(paths: readonly string[]): Promise<Profile[]> {
  const read = (path: string) => readProfiles(path, { optional: true }).catch(() => undefined);
  const all = await Promise.all(paths.map(read));
  return all.flatMap((profiles) => [...(profiles?.servers.values() ?? [])]);
}

/**
 * The secrets of the build that the user's settings name: variables with tokens of servers, and
 * what the files of tokens and of registry credentials hold.
 */
export async function namedSecrets(flags: FileFlags, place: Place): Promise<NamedSecret[]> {
  const servers = await serversIn(configurations(flags, place));
  const environment = new Map(Object.entries(place.environment));
  const variables = servers.flatMap(({ tokenEnv: name }) =>
    name === undefined ? [] : [{ name, value: environment.get(name) }],
  );
  const tokens = [
    flags.tokenFile,
    tokenPath(place.environment),
    ...servers.map(({ tokenFile }) => tokenFile),
  ];
  const named = tokens.filter((path) => path !== undefined && path !== '') as string[];
  const kept = await Promise.all(named.map((path) => textOf(path, place)));
  const files = await Promise.all(dockerFiles(place).map((path) => textOf(path, place)));
  const all = [
    ...variables,
    ...kept.map(({ path, text }) => ({ name: `the token in ${path}`, value: text })),
    ...files.flatMap(({ path, text }) =>
      credentialsIn(text)
        .filter((value) => value.length >= SHORTEST_PASSWORD)
        .map((value) => ({ name: `a credential in ${path}`, value })),
    ),
  ];
  const texts = all.map(({ value = '' }) => value.trim());
  for (const text of texts) if (text.length >= SHORTEST) registerSecret(text);
  return all;
}

/** Empty if there is no such file, or if it can't be read. */
async function textOf(given: string, { folder }: Place): Promise<{ path: string; text: string }> {
  const path = resolve(folder, given);
  const bytes = await readUserFileIfAny(path).catch(() => undefined);
  return { path, text: bytes?.toString('utf8') ?? '' };
}
