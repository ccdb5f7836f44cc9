import { execa } from 'execa';
import { ToolError, UsageError } from '../errors.ts';
import { registerSecret } from '../io/redact.ts';
import type { Credentials } from './credential.ts';

/** The user name that says that the secret is an identity token. */
const TOKEN_USER = '<token>';
const PATIENCE_MS = 120_000;

/**
 * Asks `docker-credential-NAME` for the credentials of a server; undefined where it has none. Throws ToolError when it
 * is missing or fails. https://github.com/docker/docker-credential-helpers#development
 */
export async function askHelper(
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
