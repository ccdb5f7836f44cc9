import { stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Environment } from '../environment.ts';
import { fallback, object, optional, record, safeParse, string, unknown } from 'valibot';
import { readUserFileIfAny } from '../io/readUserFile.ts';
import { NotFoundError, UsageError } from '../errors.ts';

/** Where stored credentials are. */
export interface CredentialLocation {
  /** Folder of Docker's `config.json`: `DOCKER_CONFIG`, else `~/.docker`. */
  folder: string;
  /** Content of a `config.json`, as `DOCKER_CONFIG_JSON` has it. No file is read then. */
  json?: string | undefined;
  /** `REGISTRY_AUTH_FILE`: asked before Docker's file, and must exist. */
  authFile?: string | undefined;
  /** podman's `auth.json` files: asked after Docker's file, and may be missing. */
  authFiles?: readonly string[];
}

/**
 * Returns where Docker, podman and skopeo keep the credentials of this user. An empty variable
 * counts as unset, as CI systems pass on secrets that do not exist as empty ones.
 * https://github.com/containers/image/blob/main/docs/containers-auth.json.5.md
 */
export function credentialLocation(environment: Environment, home: string): CredentialLocation {
  const runtime = environment['XDG_RUNTIME_DIR'];
  const config = environment['XDG_CONFIG_HOME'] || join(home, '.config');
  return {
    folder: environment['DOCKER_CONFIG'] || join(home, '.docker'),
    json: environment['DOCKER_CONFIG_JSON'] || undefined,
    authFile: environment['REGISTRY_AUTH_FILE'] || undefined,
    authFiles: [
      ...(runtime ? [join(runtime, 'containers/auth.json')] : []),
      join(config, 'containers/auth.json'),
    ],
  };
}

const TEXT = fallback(optional(string()), undefined);
const MAP = fallback(optional(record(string(), unknown()), {}), {});
/**
 * The part of Docker's `config.json` that is about credentials. Malformed fields count as missing.
 */
const CONFIG = object({ auths: MAP, credHelpers: MAP, credsStore: TEXT });

export interface CredentialFile {
  auths: Record<string, unknown>;
  credHelpers: Record<string, unknown>;
  credsStore?: string | undefined;
}

/**
 * Reads the files in the order in which they are asked. Throws UsageError for a file that is not
 * JSON, and NotFoundError if `authFile` is missing.
 */
export async function readCredentialFiles(location: CredentialLocation): Promise<CredentialFile[]> {
  const { folder, json, authFile, authFiles = [] } = location;
  if (json !== undefined) return [parseFile(json, 'DOCKER_CONFIG_JSON')];
  const named = authFile === undefined ? [] : [await readNamed(authFile)];
  await checkFolder(folder);
  const files = [...named];
  for (const path of [join(folder, 'config.json'), ...authFiles]) {
    const text = await readIfThere(path);
    if (text !== undefined) files.push(parseFile(text, path));
  }
  return files;
}

async function readNamed(path: string): Promise<CredentialFile> {
  const text = await readIfThere(path);
  if (text !== undefined) return parseFile(text, path);
  throw new NotFoundError(`REGISTRY_AUTH_FILE ${path}: no such file`, {
    hint: 'log in with podman login, or unset it',
  });
}

async function checkFolder(folder: string): Promise<void> {
  const found = await stat(folder).catch(() => undefined);
  if (found === undefined || found.isDirectory()) return;
  throw new UsageError(`DOCKER_CONFIG ${folder}: expected the folder of config.json, found a file`, {
    hint: `set DOCKER_CONFIG=${dirname(folder)}`,
  });
}

async function readIfThere(path: string): Promise<string | undefined> {
  return (await readUserFileIfAny(path))?.toString('utf8');
}

function parseFile(text: string, where: string): CredentialFile {
  const value = jsonOrUndefined(text);
  const result = safeParse(CONFIG, value);
  if (result.success && !Array.isArray(value)) return result.output;
  throw new UsageError(`${where}: expected a JSON object`, { hint: 'fix it, or run docker login again' });
}

/** The parser's own message may quote a secret. */
function jsonOrUndefined(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
