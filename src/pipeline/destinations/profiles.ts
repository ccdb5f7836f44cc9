import { dirname, resolve } from 'node:path';
import type { Environment } from '../../environment.ts';
import * as v from 'valibot';
import type { JsonObject } from '../../destinations/problems.ts';
import { below, expected, isObject, readAs } from '../../destinations/problems.ts';
import { readYamlFile } from '../../io/yaml.ts';
import { UsageError } from '../../errors.ts';
import { fileSize } from '../../io/files.ts';
import { DEFAULT_HOST, parseServerHost } from '../../server/host.ts';
import type { TokenEnvironment } from '../../server/token.ts';
import { hideCredentials } from '../../io/redact.ts';

/** How to reach the server of one account. */
export interface Profile {
  host: string;
  /** The environment variable with the token. */
  tokenEnv?: string;
  /** The file with the token, if there is no variable. Absolute. */
  tokenFile?: string;
}

/** The servers that a configuration file names. */
export interface Profiles {
  path: string;
  servers: ReadonlyMap<string, Profile>;
}

/**
 * Returns where the token of a server is: in its variable, else in its file. A token from elsewhere
 * is for another server. Pure.
 */
export function placeOfToken(
  { tokenEnv, tokenFile }: Pick<Profile, 'tokenEnv' | 'tokenFile'>,
  environment: Environment,
): { tokens: TokenEnvironment; tokenFile?: string | undefined } {
  const token = Object.hasOwn(environment, tokenEnv ?? '') ? environment[tokenEnv ?? ''] : undefined;
  return (token ?? '').trim() === '' ? { tokens: {}, tokenFile } : { tokens: { MENDER_PAT: token } };
}

const text = v.string(expected('a text'));
const object = v.custom<JsonObject>(isObject, expected('an object'));
const profileSchema = v.pipe(
  object,
  v.looseObject({
    host: v.optional(text, null as never),
    tokenEnv: v.nullish(text),
    tokenFile: v.nullish(text),
  }),
);
const fileSchema = v.pipe(
  object,
  v.looseObject({ servers: v.nullish(v.pipe(object, v.record(v.string(), profileSchema)), {}) }),
);

/**
 * The profiles in a configuration file: `servers: {NAME: {host, tokenEnv|tokenFile}}`. Token files
 * are relative to it. A missing file has no profiles if it is `optional`. Throws UsageError for an
 * invalid file.
 */
export async function readProfiles(path: string, { optional }: { optional: boolean }): Promise<Profiles> {
  if (optional && (await fileSize(path)) === undefined) return { path, servers: new Map() };
  return profilesIn(await readYamlFile(path), path);
}

/** As `readProfiles`, of the content of the file. */
export function profilesIn(value: unknown, path: string): Profiles {
  const { servers } = readAs(fileSchema, isObject(value) ? value : { servers: value }, path);
  const profiles = Object.entries(servers).map(([name, one]) => {
    return [name, profileOf(one, `${path}: ${below('servers', name)}`, dirname(path))] as const;
  });
  return { path, servers: new Map(profiles) };
}

interface WrittenProfile {
  host: string;
  tokenEnv?: string | null | undefined;
  tokenFile?: string | null | undefined;
}

function profileOf({ host, tokenEnv, tokenFile }: WrittenProfile, at: string, folder: string): Profile {
  if ((tokenEnv ?? tokenFile ?? undefined) === undefined) {
    throw new UsageError(`${at}: expected tokenEnv or tokenFile`);
  }
  return {
    host: hostOf(host, `${at}.host`),
    ...(tokenEnv ? { tokenEnv } : {}),
    ...(tokenFile ? { tokenFile: resolve(folder, tokenFile) } : {}),
  };
}

function hostOf(given: string, at: string): string {
  const host = parseServerHost(given);
  if (host !== undefined) return host;
  throw new UsageError(
    `${at}: expected a URL like ${DEFAULT_HOST}, found ${JSON.stringify(hideCredentials(given))}`,
  );
}
