import { fallback, object, optional, safeParse, string } from 'valibot';
import { UsageError } from '../errors.ts';
import { registerSecret } from '../io/redact.ts';
import type { CredentialFile, CredentialLocation } from './credentialFiles.ts';
import { readCredentialFiles } from './credentialFiles.ts';
import { askHelper } from './credentialHelper.ts';
import type { ImageRepository } from './endpoint.ts';
import type { RegistryCredentials } from './token.ts';

/** Returns the credentials for a repository, or undefined if there are none. */
export type CredentialLookup = (
  repository: ImageRepository,
  signal?: AbortSignal,
) => Promise<RegistryCredentials | undefined>;

type AskHelper = (
  name: string,
  server: string,
  signal?: AbortSignal,
) => Promise<RegistryCredentials | undefined>;

/**
 * Looks credentials up as Docker and podman do. In each file, the registry's own helper is asked
 * first, then the common store, then `auths`. The first file that has credentials decides. The
 * files are read once, at the first lookup. Throws UsageError for a malformed file and ToolError
 * for a helper that is missing or fails.
 * https://docs.docker.com/reference/cli/docker/login/#configure-the-credential-store
 */
export function dockerCredentials(location: CredentialLocation): CredentialLookup {
  let reading: Promise<CredentialFile[]> | undefined;
  const asked = new Map<string, Promise<RegistryCredentials | undefined>>();
  const askOnce: AskHelper = (name, server, signal) => {
    const key = `${name} ${server}`;
    const answer = asked.get(key) ?? askHelper(name, server, signal);
    asked.set(key, answer);
    return answer;
  };
  return async (repository, signal) => {
    reading ??= readCredentialFiles(location);
    for (const file of await reading) {
      const credentials = await lookUp(file, repository, askOnce, signal);
      if (credentials !== undefined) return credentials;
    }
    return undefined;
  };
}

async function lookUp(
  { auths, credHelpers, credsStore }: CredentialFile,
  repository: ImageRepository,
  ask: AskHelper,
  signal: AbortSignal | undefined,
): Promise<RegistryCredentials | undefined> {
  const own = entryFor(credHelpers, repository);
  const helper = typeof own === 'string' && own !== '' ? own : credsStore;
  const { registry } = repository;
  const stored = helper ? await ask(helper, serverAddress(registry), signal) : undefined;
  const credentials = stored ?? fromEntry(entryFor(auths, repository), registry);
  registerSecret(credentials?.kind === 'password' ? credentials.password : credentials?.token);
  return credentials;
}

const HUB_NAMES: ReadonlySet<string> = new Set(['docker.io', 'index.docker.io', 'registry-1.docker.io']);

/** The name under which Docker keeps a registry's credentials. */
function serverAddress(registry: string): string {
  return registry === 'docker.io' ? 'https://index.docker.io/v1/' : registry;
}

/**
 * Returns the value of the longest key that is the repository, or a folder above it, or the
 * registry.
 */
function entryFor(entries: Record<string, unknown>, { registry, repository }: ImageRepository): unknown {
  const fitting = Object.keys(entries)
    .map((key) => ({ key, ...splitKey(key) }))
    .filter(({ host }) => host === registry || (registry === 'docker.io' && HUB_NAMES.has(host)))
    .filter(({ path }) => path === '' || `${repository}/`.startsWith(`${path}/`));
  const byLength = fitting.sort((a, b) => b.path.length - a.path.length || Number(b.isOwn) - Number(a.isOwn));
  const [best] = byLength;
  return best === undefined ? undefined : entries[best.key];
}

/**
 * Keys are hosts, or repositories, or URLs from older versions, whose `/v1/` or `/v2/` is no
 * repository.
 */
function splitKey(key: string): { host: string; path: string; isOwn: boolean } {
  const isUrl = /^https?:\/\//.test(key);
  const [host = '', ...parts] = key.replace(/^https?:\/\//, '').split('/');
  const path = parts.join('/').replace(/\/+$/, '');
  const isVersion = /^v[12]$/.test(path) && (isUrl || key.endsWith('/'));
  return { host, path: isVersion ? '' : path, isOwn: key === serverAddress('docker.io') };
}

const TEXT = fallback(optional(string()), undefined);
const ENTRY = object({
  auth: TEXT,
  username: TEXT,
  password: TEXT,
  identitytoken: TEXT,
  registrytoken: TEXT,
});

function fromEntry(entry: unknown, registry: string): RegistryCredentials | undefined {
  const result = safeParse(ENTRY, entry);
  if (!result.success) return undefined;
  const { auth, username, password, identitytoken, registrytoken } = result.output;
  if (identitytoken) return { kind: 'identity', token: identitytoken };
  if (registrytoken) return { kind: 'registry', token: registrytoken };
  if (auth) return fromAuth(auth, registry);
  return username && password ? { kind: 'password', username, password } : undefined;
}

function fromAuth(auth: string, registry: string): RegistryCredentials {
  const decoded = Buffer.from(auth, 'base64').toString('utf8').replace(/\0+$/, '');
  const colon = decoded.indexOf(':');
  if (colon > 0) {
    return { kind: 'password', username: decoded.slice(0, colon), password: decoded.slice(colon + 1) };
  }
  throw new UsageError(`Docker's config.json: auth of ${registry} is not the base64 form of user:password`, {
    hint: `run: docker login ${registry}`,
  });
}
