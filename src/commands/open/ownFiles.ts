import { join, resolve } from 'node:path';
import { readProfiles } from '../../pipeline/destinations/profiles.ts';
import { certificateFolders } from '../../registry/certificates.ts';
import { credentialLocation } from '../../registry/credentialFiles.ts';
import { tokenPath } from '../../server/token.ts';
import { stateFolder } from '../options/cacheFolder.ts';
import { cliConfigurationPath, userSettingsPath } from '../options/userSettings.ts';
import type { Context } from '../terminal/command.ts';
import { nonEmpty } from '../terminal/home.ts';

/** The options that name files with secrets. */
interface FileFlags {
  tokenFile?: string | undefined;
  config?: string | undefined;
}

type Place = Pick<Context, 'environment' | 'folder' | 'home'>;

/**
 * The files and folders in which this tool finds credentials or keeps its own state, absolute. No
 * artifact may hold one of them, and a project folder may be around them. They need not exist.
 */
export async function ownFiles(flags: FileFlags, place: Place): Promise<string[]> {
  const settings = userSettingsPath(place);
  const configurations = [settings, flags.config].filter((path) => path !== undefined);
  const absolute = configurations.map((path) => resolve(place.folder, path));
  const paths = [
    ...[stateFolder(place), flags.tokenFile, cliConfigurationPath(place)],
    ...menderToken(place),
    ...dockerFiles(place),
    ...certificateFolders(place.environment, place.home),
    ...(await Promise.all(absolute.map(tokenFilesIn))).flat(),
  ];
  const named = paths.filter((path) => path !== undefined && path !== '') as string[];
  return [...new Set([...absolute, ...named.map((path) => resolve(place.folder, path))])];
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
async function tokenFilesIn(path: string): Promise<string[]> {
  const profiles = await readProfiles(path, { optional: true }).catch(() => undefined);
  const servers = [...(profiles?.servers.values() ?? [])];
  return servers.flatMap(({ tokenFile }) => (tokenFile === undefined ? [] : [tokenFile]));
}
