import { execa } from 'execa';
import { object, optional, safeParse, string } from 'valibot';
import { ToolError, UsageError } from '../errors.ts';
import { excerpt, registerSecret } from '../io/redact.ts';
import type { RegistryCredentials } from './token.ts';

/** The user name of a secret that is an identity token. */
const TOKEN_USER = '<token>';
const PATIENCE_MS = 120_000;
/** Characters of an answer. Tokens have a few thousand. */
const MOST_OUTPUT = 1 << 20;
/** Characters of a helper's own words in an error. */
const LONGEST_REASON = 1000;

const ANSWER = object({ Username: optional(string()), Secret: optional(string()) });

/**
 * Asks `docker-credential-NAME` for the credentials of a server. Returns undefined if it has none.
 * Throws ToolError if the helper is missing or fails.
 * https://github.com/docker/docker-credential-helpers#development
 */
export async function askHelper(
  name: string,
  server: string,
  signal: AbortSignal | undefined,
): Promise<RegistryCredentials | undefined> {
  if (!/^[\w.-]+$/.test(name)) {
    throw new UsageError(
      `Docker's config.json: ${JSON.stringify(name)} is not the name of a credential helper`,
    );
  }
  const program = `docker-credential-${name}`;
  const { exitCode, stdout, stderr, code, shortMessage, isMaxBuffer } = await execa(program, ['get'], {
    input: server,
    reject: false,
    timeout: PATIENCE_MS,
    maxBuffer: MOST_OUTPUT,
    ...(signal === undefined ? {} : { cancelSignal: signal }),
  });
  signal?.throwIfAborted();
  const answer = parseAnswer(stdout);
  // A helper that fails may have answered before, and its output is shown then.
  registerSecret(answer.Secret);
  if (exitCode === 0) return credentialsIn(answer, program, server);
  if (code === 'ENOENT') throw missing(program);
  // Helpers report this on stdout, without an exit code of its own. A program of theirs may be "not
  // found" as well.
  if (/credentials not found|no credentials/i.test(stdout + stderr)) return undefined;
  // What was cut can't be read, so that nobody knows which part of it is secret.
  const said = isMaxBuffer ? shortMessage : stderr || stdout || shortMessage;
  throw new ToolError(`${program} get for ${server} failed: ${excerpt(String(said), LONGEST_REASON)}`);
}

function parseAnswer(text: string): { Username?: string | undefined; Secret?: string | undefined } {
  try {
    const result = safeParse(ANSWER, JSON.parse(text));
    return result.success ? result.output : {};
  } catch {
    return {};
  }
}

function missing(program: string): ToolError {
  return new ToolError(`${program}, named in Docker's config.json, is not installed`, {
    hint: 'install it, or remove it from credsStore and credHelpers and run docker login',
  });
}

function credentialsIn(
  { Username: username, Secret: secret }: ReturnType<typeof parseAnswer>,
  program: string,
  server: string,
): RegistryCredentials | undefined {
  if (username === undefined || secret === undefined) {
    throw new ToolError(`${program} get for ${server}: expected JSON with Username and Secret`);
  }
  if (secret === '') return undefined;
  return username === TOKEN_USER
    ? { kind: 'identity', token: secret }
    : { kind: 'password', username, password: secret };
}
