import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { object, parse, string } from 'valibot';
import { readUserFile, readUserFileIfAny } from '../io/readUserFile.ts';
import { DeniedError, UsageError } from '../errors.ts';
import { fileSize, writeAtomically } from '../io/files.ts';
import { tokenFrom } from '../http/token.ts';
import { registerSecret } from '../io/redact.ts';
import { digestOf } from '../oci/digest.ts';

/** The environment variables that say where tokens are. */
export interface TokenEnvironment {
  /** A personal access token. */
  MENDER_PAT?: string | undefined;
  HOME?: string | undefined;
  XDG_CACHE_HOME?: string | undefined;
}

/**
 * The token for a server and where it comes from: the content of `tokenFile`, else MENDER_PAT, else
 * the content of mender-cli's own file. A token that `storeToken` kept for another server is never
 * used: throws DeniedError if `tokenFile` holds it. Undefined if there is no token. Throws
 * UsageError for a token file that can't be read.
 */
export async function findToken(
  environment: TokenEnvironment,
  tokenFile: string | undefined,
  host: string,
): Promise<{ token: string; source: string } | undefined> {
  const fromEnvironment = tokenFrom(environment.MENDER_PAT ?? '', 'MENDER_PAT');
  if (tokenFile === undefined && fromEnvironment !== undefined)
    return { token: fromEnvironment, source: 'MENDER_PAT' };
  const path = tokenFile ?? tokenPath(environment);
  if (path === undefined) return undefined;
  if (tokenFile === undefined && (await fileSize(path)) === undefined) return undefined;
  const token = tokenFrom(await readToken(path, host), path);
  if (token === undefined && tokenFile !== undefined)
    throw new UsageError(`${path}: expected a token, found nothing`);
  if (token === undefined) return undefined;
  const owner = await hostOfToken(path, token);
  if (owner === undefined || isSameHost(owner, host)) return { token, source: path };
  if (tokenFile === undefined) return undefined;
  throw new DeniedError(`the token in ${path} is for ${owner}, not for ${host}`, {
    hint: 'log in to that server, or name another file with --token-file',
  });
}

/** The DeniedError of a command that can't do without a token. */
export function noToken(host: string): DeniedError {
  return new DeniedError(`there is no token for ${host}`, {
    hint: 'set MENDER_PAT to a personal access token, name a file with --token-file, or run `mender-docker-delta login`',
  });
}

async function readToken(path: string, host: string): Promise<string> {
  const hint = `name another file, or log in: mender-docker-delta login -h ${host} --token-file ${path}`;
  return (await readUserFile(path, { doing: `reading the token from ${path}`, hint })).toString('utf8');
}

/**
 * Where mender-cli keeps its token: `mender/authtoken` in the user's cache folder; undefined
 * without a home.
 */
export function tokenPath({ HOME, XDG_CACHE_HOME }: TokenEnvironment): string | undefined {
  if (XDG_CACHE_HOME !== undefined && XDG_CACHE_HOME !== '')
    return join(XDG_CACHE_HOME, 'mender', 'authtoken');
  return HOME === undefined || HOME === '' ? undefined : join(HOME, '.cache', 'mender', 'authtoken');
}

/**
 * Stores a token as mender-cli does: nothing but the token, with mode 0600. A second file,
 * `PATH.host`, says which server it is for.
 */
export async function storeToken(path: string, token: string, host: string): Promise<void> {
  await writeAtomically(path, (temporary) => writeFile(temporary, token, { mode: 0o600 }));
  const owner = JSON.stringify({ host, token: digestOf(token) });
  await writeAtomically(hostFile(path), (temporary) => writeFile(temporary, `${owner}\n`, { mode: 0o600 }));
}

/** The server of the token in the file at `path`, if `storeToken` kept it. */
export async function hostOfKeptToken(path: string): Promise<string | undefined> {
  const bytes = await readUserFileIfAny(path).catch(() => undefined);
  const token = bytes?.toString('utf8') ?? '';
  registerSecret(token.trim());
  return hostOfToken(path, token.trim());
}

const ownerSchema = object({ host: string(), token: string() });

/** The server that a kept token is for. Undefined if another tool wrote the token. */
async function hostOfToken(path: string, token: string): Promise<string | undefined> {
  try {
    const owner = parse(ownerSchema, JSON.parse(String(await readUserFileIfAny(hostFile(path)))));
    return owner.token === digestOf(token) ? owner.host : undefined;
  } catch {
    return undefined;
  }
}

function hostFile(path: string): string {
  return `${path}.host`;
}

/** True if both are addresses of one server. Pure. */
export function isSameHost(a: string, b: string): boolean {
  return URL.canParse(a) && URL.canParse(b) && new URL(a).href === new URL(b).href;
}
