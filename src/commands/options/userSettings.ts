import { join } from 'node:path';
import { UsageError } from '../../errors.ts';
import { fileSize } from '../../io/files.ts';
import { readUserFileIfAny } from '../../io/readUserFile.ts';
import { readYamlFile } from '../../io/yaml.ts';
import { MODULES } from '../../mender/spec.ts';
import type { Profiles } from '../../pipeline/destinations/profiles.ts';
import { profilesIn } from '../../pipeline/destinations/profiles.ts';
import { hostOfKeptToken, tokenPath } from '../../server/token.ts';
import { didYouMean, oneOf } from '../../io/suggest.ts';
import type { Context } from '../terminal/command.ts';
import { nonEmpty } from '../terminal/home.ts';

type Place = Pick<Context, 'environment' | 'home'>;

/** What the user's own files say. A project's files come before them, except for the host. */
export interface UserSettings {
  /** The configuration file; it may be missing. */
  path: string;
  /** The address or the name of a server. */
  host: string | undefined;
  /** Values of other options, by their names. */
  defaults: Readonly<Record<string, string | string[]>>;
  /** Servers by name. */
  profiles: Profiles;
}

/** Options that have a default in the configuration file. */
export const DEFAULT_KEYS = ['device-type', 'platform', 'module'] as const;
/** Keys of the configuration file, in addition to `servers`. */
const USER_KEYS = ['mender-host', ...DEFAULT_KEYS] as const;

/** `$XDG_CONFIG_HOME/mender-docker-delta/config.yaml`, else below `~/.config`. */
export function userSettingsPath({ environment, home }: Place): string {
  const folder = nonEmpty(environment['XDG_CONFIG_HOME']) ?? join(home, '.config');
  return join(folder, 'mender-docker-delta', 'config.yaml');
}

/** Reads the user's configuration. Throws UsageError for an unknown key or a wrong value. */
export async function readUserSettings(place: Place): Promise<UserSettings> {
  const path = userSettingsPath(place);
  const content = (await fileSize(path)) === undefined ? undefined : await readYamlFile(path);
  const profiles = profilesIn(content, path);
  const entries = Object.entries(content ?? {}).filter(([key]) => key !== 'servers');
  const values = Object.fromEntries(entries.map(([key, one]) => [key, checked(path, key, one)]));
  const { 'mender-host': host, ...defaults } = values;
  return { path, host: typeof host === 'string' ? host : undefined, defaults, profiles };
}

function checked(path: string, key: string, value: unknown): string | string[] {
  if (!USER_KEYS.some((one) => one === key)) {
    const known = [...USER_KEYS, 'servers'];
    throw new UsageError(`${path}: unknown key ${JSON.stringify(key)}`, {
      hint: didYouMean(key, known) ?? `it may hold ${oneOf(known)}`,
    });
  }
  const texts: unknown[] = key === 'device-type' && Array.isArray(value) ? value : [value];
  if (!texts.every((text) => typeof text === 'string' && text !== ''))
    throw new UsageError(`${path}: ${key}: expected a text, found ${JSON.stringify(value)}`);
  if (key === 'module' && !MODULES.some((module) => module === value))
    throw new UsageError(`${path}: ${key}: expected ${oneOf(MODULES)}, found ${JSON.stringify(value)}`);
  return key === 'device-type' ? (texts as string[]) : (value as string);
}

/** A Mender server and who named it. */
export interface ChosenHost {
  host: string;
  origin: string;
  /** Of a server with a name. */
  tokenFile?: string;
  tokenEnv?: string;
}

/**
 * The server of a run: `given` by the command line or the environment, else that of the user's
 * configuration, of the last login, or of mender-cli's configuration. Undefined if nobody names
 * one. A name in `servers` stands for its host and token. A project never decides the host. Throws
 * UsageError for a misspelt name.
 */
export async function chooseHost(
  given: string | undefined,
  { host, profiles, path }: UserSettings,
  place: Place,
): Promise<ChosenHost | undefined> {
  if (given !== undefined) return named(given, profiles, '--mender-host or its variable');
  if (host !== undefined) return named(host, profiles, path);
  // A token from MENDER_PAT has nothing to do with the last login.
  const kept = tokenPath(place.environment);
  const isOwnToken = nonEmpty(place.environment['MENDER_PAT']) === undefined;
  const login = isOwnToken && kept !== undefined ? await hostOfKeptToken(kept) : undefined;
  if (login !== undefined) return { host: login, origin: 'the last login' };
  const cli = (await readCliConfiguration(place))?.server;
  return cli === undefined ? undefined : { host: cli, origin: cliConfigurationPath(place) };
}

function named(text: string, { servers }: Profiles, origin: string): ChosenHost {
  const profile = servers.get(text);
  if (profile !== undefined) return { ...profile, origin: `${origin} (${text})` };
  const near = /[.:/]/.test(text) ? undefined : didYouMean(text, [...servers.keys()]);
  if (near === undefined) return { host: text, origin };
  throw new UsageError(`${origin}: there is no server ${text} in your configuration`, { hint: near });
}

/** The file of mender-cli, which may hold a password. */
export function cliConfigurationPath({ home }: Place): string {
  return join(home, '.mender-clirc');
}

/** What mender-cli's own configuration says. Undefined if it is missing or is not readable. */
export async function readCliConfiguration(
  place: Place,
): Promise<{ server?: string; username?: string } | undefined> {
  try {
    const text = String(await readUserFileIfAny(cliConfigurationPath(place)));
    const value = JSON.parse(text) as Record<string, unknown>;
    const { server, username } = value;
    return {
      ...(typeof server === 'string' && server !== '' ? { server } : {}),
      ...(typeof username === 'string' && username !== '' ? { username } : {}),
    };
  } catch {
    return undefined;
  }
}
