import { dirname, resolve } from 'node:path';
import { below, checkFields, isObject, unexpected } from '../../destinations/fieldRules.ts';
import { problemText } from '../../destinations/readMap.ts';
import { readYamlFile } from '../../destinations/yamlFile.ts';
import { UsageError } from '../../errors.ts';
import { fileSize } from '../../io/files.ts';
import { DEFAULT_HOST, parseHost } from '../../server/host.ts';

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
 * The profiles in a configuration file: `servers: {NAME: {host, tokenEnv|tokenFile}}`. Token files are
 * relative to it. A missing file has no profiles if it is `optional`. Throws UsageError for an invalid
 * file.
 */
export async function readProfiles(path: string, { optional }: { optional: boolean }): Promise<Profiles> {
  if (optional && (await fileSize(path)) === undefined) return { path, servers: new Map() };
  const value = await readYamlFile(path);
  const servers = isObject(value) ? (value['servers'] ?? {}) : value;
  if (!isObject(servers)) {
    throw new UsageError(problemText(unexpected('servers', 'an object', servers), path));
  }
  const profiles = Object.entries(servers).map(
    ([name, one]) => [name, profileOf(one, below('servers', name), path)] as const,
  );
  return { path, servers: new Map(profiles) };
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

function hostOf(given: string, at: string): string {
  const host = parseHost(given);
  if (host !== undefined) return host;
  throw new UsageError(`${at}: expected a URL like ${DEFAULT_HOST}, found ${JSON.stringify(given)}`);
}
