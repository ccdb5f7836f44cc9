import { dirname, join, resolve } from 'node:path';
import { below, checkFields, isObject, unexpected } from '../../destinations/fieldRules.ts';
import { problemText } from '../../destinations/readMap.ts';
import { DeniedError, UsageError } from '../../errors.ts';
import { fileSize } from '../../io/files.ts';
import { createHttp } from '../../http/http.ts';
import type { Api } from '../../server/api.ts';
import { createApi } from '../../server/api.ts';
import { findToken } from '../../server/token.ts';
import type { Context } from '../terminal/command.ts';
import { readYamlFile } from './map.ts';
import { serverHost, warnOfClearText } from '../options/server.ts';

type Environment = Context['environment'];

/** How to reach one server. */
interface Profile {
  host: string;
  /** The environment variable with the token. */
  tokenEnv?: string;
  /** Or the file with it. */
  tokenFile?: string;
}

/** The servers that a configuration file names. */
export interface Profiles {
  path: string;
  servers: ReadonlyMap<string, Profile>;
}

/**
 * The profiles in `given`, or in the user's own configuration file, which may be missing: `servers: {NAME: {host,
 * tokenEnv|tokenFile}}`; token files are relative to it. Throws UsageError for a file that is wrong.
 */
export async function readProfiles(given: string | undefined, environment: Environment): Promise<Profiles> {
  const path = given ?? defaultPath(environment);
  if (given === undefined && (await fileSize(path)) === undefined) return { path, servers: new Map() };
  const value = await readYamlFile(path);
  const servers = isObject(value) ? (value['servers'] ?? {}) : value;
  if (!isObject(servers))
    throw new UsageError(problemText(unexpected('servers', 'an object', servers), path));
  const profiles = Object.entries(servers).map(
    ([name, one]) => [name, profileOf(one, below('servers', name), path)] as const,
  );
  return { path, servers: new Map(profiles) };
}

function defaultPath({ XDG_CONFIG_HOME: configured, HOME = '' }: Environment): string {
  const folder = configured === undefined || configured === '' ? join(HOME, '.config') : configured;
  return join(folder, 'mender-docker-delta', 'config.yaml');
}

function profileOf(value: unknown, at: string, path: string): Profile {
  if (!isObject(value)) throw new UsageError(problemText(unexpected(at, 'an object', value), path));
  const rules = {
    host: { kind: 'text', required: true },
    tokenEnv: { kind: 'text' },
    tokenFile: { kind: 'text' },
  } as const;
  const [problem] = checkFields(value, at, rules);
  if (problem !== undefined) throw new UsageError(problemText(problem, path));
  const { host, tokenEnv, tokenFile } = value as {
    host: string;
    tokenEnv?: string | null;
    tokenFile?: string | null;
  };
  if ((tokenEnv ?? undefined) === undefined && (tokenFile ?? undefined) === undefined) {
    throw new UsageError(`${path}: ${at}: expected tokenEnv or tokenFile`);
  }
  return {
    host: hostOf(host, `${path}: ${at}.host`),
    ...(tokenEnv ? { tokenEnv } : {}),
    ...(tokenFile ? { tokenFile: resolve(dirname(path), tokenFile) } : {}),
  };
}

function hostOf(host: string, at: string): string {
  try {
    return serverHost({ menderHost: host });
  } catch {
    throw new UsageError(
      `${at}: expected a URL like https://hosted.mender.io, found ${JSON.stringify(host)}`,
    );
  }
}

/**
 * The server of an account; `place` is where the map names it. Throws NotFoundError for an account without a profile, and
 * DeniedError for one whose token is missing.
 */
export async function openAccount(
  account: string,
  place: string,
  profiles: Profiles,
  context: Context,
): Promise<Api> {
  const profile = profiles.servers.get(account);
  if (profile === undefined) {
    throw new UsageError(`${place}: there is no server profile ${account} in ${profiles.path}`, {
      hint: `add servers.${account} with host and tokenEnv there, or leave the account out with --account`,
    });
  }
  const { host, tokenEnv, tokenFile } = profile;
  const environment = tokenEnv === undefined ? {} : { MENDER_PAT: context.environment[tokenEnv] };
  const found = await findToken(environment, tokenFile);
  if (found === undefined) {
    throw new DeniedError(`${place}: there is no token for ${host}`, {
      hint: `set ${tokenEnv ?? 'the token'}, which ${profiles.path} names for servers.${account}`,
    });
  }
  warnOfClearText(host, context.log);
  const http = createHttp({ log: context.log });
  return createApi({ http, host, authorization: `Bearer ${found.token}`, signal: context.signal });
}
