import { execa } from 'execa';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemCodeOf, ToolError, UsageError } from '../errors.ts';
import { fileError } from '../io/files.ts';
import { registerSecret } from '../io/redact.ts';

/** The credentials for a registry such as `docker.io` or `localhost:5000`, or undefined where there are none. */
export type CredentialLookup = (registry: string, signal?: AbortSignal) => Promise<Credentials | undefined>;

export interface DockerConfigLocation {
  /** Folder of Docker's `config.json`: `DOCKER_CONFIG`, else `~/.docker`. */
  folder: string;
  /** The content of a `config.json`, as `DOCKER_CONFIG_JSON` has it; the folder is not looked at then. */
  json?: string | undefined;
}

interface DockerConfig {
  auths: Record<string, unknown>;
  credHelpers: Record<string, unknown>;
  credsStore: string | undefined;
}

/**
 * Looks credentials up as Docker does: the registry's own helper, else the common store, else `auths`. The file is read
 * once, when first asked; without a file there are no credentials. Throws UsageError for a malformed config and
 * ToolError for a helper that is missing or fails.
 * https://docs.docker.com/reference/cli/docker/login/#configure-the-credential-store
 */
export function dockerCredentials(location: DockerConfigLocation): CredentialLookup {
  let config: Promise<DockerConfig> | undefined;
  const known = new Map<string, Promise<Credentials | undefined>>();
  return async (registry, signal) => {
    config ??= readConfig(location);
    const loaded = await config;
    const found = known.get(registry) ?? lookUp(loaded, registry, signal);
    known.set(registry, found);
    return found;
  };
}

async function lookUp(
  config: DockerConfig,
  registry: string,
  signal: AbortSignal | undefined,
): Promise<Credentials | undefined> {
  const own = entryFor(config.credHelpers, registry);
  const helper = typeof own === 'string' ? own : config.credsStore;
  const asked = helper === undefined ? undefined : await askHelper(helper, serverAddress(registry), signal);
  const credentials = asked ?? fromEntry(entryFor(config.auths, registry), registry);
  registerSecret(credentials?.kind === 'password' ? credentials.password : credentials?.token);
  return credentials;
}

const HUB_NAMES: ReadonlySet<string> = new Set(['docker.io', 'index.docker.io', 'registry-1.docker.io']);

/** The name under which Docker keeps a registry's credentials. */
function serverAddress(registry: string): string {
  return registry === 'docker.io' ? 'https://index.docker.io/v1/' : registry;
}

/** Keys may be hosts or, from older versions, URLs. */
function entryFor(entries: Record<string, unknown>, registry: string): unknown {
  const matching = Object.keys(entries).find((key) => {
    const host = key.replace(/^https?:\/\//, '').replace(/\/.*$/, '');
    return host === registry || (registry === 'docker.io' && HUB_NAMES.has(host));
  });
  return entries[serverAddress(registry)] ?? (matching === undefined ? undefined : entries[matching]);
}

function fromEntry(entry: unknown, registry: string): Credentials | undefined {
  if (!isObject(entry)) return undefined;
  const { auth, username, password, identitytoken, registrytoken } = entry;
  if (isText(identitytoken)) return { kind: 'identity', token: identitytoken };
  if (isText(registrytoken)) return { kind: 'registry', token: registrytoken };
  if (isText(auth)) return fromAuth(auth, registry);
  return isText(username) && isText(password) ? { kind: 'password', username, password } : undefined;
}

function fromAuth(auth: string, registry: string): Credentials {
  const decoded = Buffer.from(auth, 'base64').toString('utf8').replace(/\0+$/, '');
  const colon = decoded.indexOf(':');
  if (colon > 0) {
    return { kind: 'password', username: decoded.slice(0, colon), password: decoded.slice(colon + 1) };
  }
  throw new UsageError(`Docker's config.json: auth of ${registry} is not the base64 form of user:password`, {
    hint: `run: docker login ${registry}`,
  });
}

async function readConfig({ folder, json }: DockerConfigLocation): Promise<DockerConfig> {
  if (json !== undefined) return parseConfig(json, 'DOCKER_CONFIG_JSON');
  const path = join(folder, 'config.json');
  return parseConfig(await readIfThere(path), path);
}

async function readIfThere(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT' || systemCodeOf(error) === 'ENOTDIR') return '{}';
    throw fileError(error, `reading ${path}`);
  }
}

function parseConfig(text: string, where: string): DockerConfig {
  const { auths, credHelpers, credsStore } = parseObject(text, where);
  return {
    auths: isObject(auths) ? auths : {},
    credHelpers: isObject(credHelpers) ? credHelpers : {},
    credsStore: isText(credsStore) ? credsStore : undefined,
  };
}

function parseObject(text: string, where: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (isObject(value)) return value;
  } catch {
    // The parser's message may quote a secret.
  }
  throw new UsageError(`${where}: expected a JSON object`, { hint: 'mend it, or run docker login again' });
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

/** What a registry, or its token service, may be shown. */
export type Credentials =
  | { kind: 'password'; username: string; password: string }
  /** A refresh token, exchanged for access tokens with OAuth2. */
  | { kind: 'identity'; token: string }
  /** A token for the registry itself. */
  | { kind: 'registry'; token: string };

/** The user name that says that the secret is an identity token. */
const TOKEN_USER = '<token>';
const PATIENCE_MS = 120_000;

/**
 * Asks `docker-credential-NAME` for the credentials of a server; undefined where it has none. Throws ToolError when it
 * is missing or fails. https://github.com/docker/docker-credential-helpers#development
 */
async function askHelper(
  name: string,
  server: string,
  signal: AbortSignal | undefined,
): Promise<Credentials | undefined> {
  if (!/^[\w.-]+$/.test(name))
    throw new UsageError(`Docker's config.json: no credential helper is called ${name}`);
  const program = `docker-credential-${name}`;
  const { exitCode, stdout, stderr, code, shortMessage } = await execa(program, ['get'], {
    input: server,
    reject: false,
    timeout: PATIENCE_MS,
    ...(signal === undefined ? {} : { cancelSignal: signal }),
  });
  signal?.throwIfAborted();
  const answer = jsonIn(stdout);
  // Also of a helper that fails after it has answered: what it said is shown then.
  if (typeof answer['Secret'] === 'string') registerSecret(answer['Secret']);
  if (exitCode === 0) return credentialsIn(answer, program, server);
  if (code === 'ENOENT') throw missing(program);
  // Helpers say so on stdout, and no exit code tells it apart. A program of theirs may be "not found" as well.
  if (/credentials not found|no credentials/i.test(stdout + stderr)) return undefined;
  throw new ToolError(`${program} get for ${server} failed: ${stderr || stdout || shortMessage}`);
}

function missing(program: string): ToolError {
  return new ToolError(`${program}, named in Docker's config.json, is not installed`, {
    hint: 'install it, or remove it from credsStore and credHelpers and run docker login',
  });
}

function credentialsIn(
  { Username, Secret }: Record<string, unknown>,
  program: string,
  server: string,
): Credentials | undefined {
  if (typeof Username !== 'string' || typeof Secret !== 'string') {
    throw new ToolError(`${program} get for ${server}: expected JSON with Username and Secret`);
  }
  if (Secret === '') return undefined;
  return Username === TOKEN_USER
    ? { kind: 'identity', token: Secret }
    : { kind: 'password', username: Username, password: Secret };
}

function jsonIn(text: string): Record<string, unknown> {
  try {
    return (JSON.parse(text) ?? {}) as Record<string, unknown>;
  } catch {
    return {};
  }
}
