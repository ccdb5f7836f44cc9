import { resolve } from 'node:path';
import type { Environment } from '../../environment.ts';
import { UsageError } from '../../errors.ts';
import type { Api } from '../../server/api.ts';
import { createApi } from '../../server/api.ts';
import { DEFAULT_HOST, parseServerHost, warnOfClearText } from '../../server/host.ts';
import { findToken, noToken } from '../../server/token.ts';
import { variableName } from '../terminal/command.ts';
import type { Context, FlagsOf } from '../terminal/command.ts';
import { shellWord } from '../terminal/shellWord.ts';
import { hideCredentials } from '../../io/redact.ts';

/** Options of every command that talks to a Mender server. */
export type ServerFlags = FlagsOf<typeof SERVER_OPTIONS>;

const GROUP = 'The server:';

export const SERVER_OPTIONS = {
  'mender-host': {
    group: GROUP,
    alias: 'h',
    type: 'string',
    describe: 'URL of the Mender server',
    defaultDescription: `that of config.yaml or of the last login, else ${DEFAULT_HOST}`,
  },
  'token-file': {
    group: GROUP,
    type: 'string',
    describe: 'File with a token',
    defaultDescription: "MENDER_PAT, else mender-cli's file",
  },
} as const;

/** The address of the server. Throws UsageError for an invalid one. */
export function serverHost({ menderHost = DEFAULT_HOST }: ServerFlags): string {
  const host = parseServerHost(menderHost);
  if (host !== undefined) return host;
  throw new UsageError(`--mender-host ${hideCredentials(menderHost)}: expected a URL like ${DEFAULT_HOST}`);
}

/**
 * The options that name the server, with a blank in front of each, as somebody typed them. What a
 * variable says holds for the next command as well. Pure.
 */
export function typedServer({ menderHost, tokenFile }: ServerFlags, environment: Environment): string {
  const typed = (word: string, name: string, value: string | undefined): string =>
    value === undefined || value === environment[variableName(name)] ? '' : ` ${word} ${shellWord(value)}`;
  return typed('-h', 'mender-host', menderHost) + typed('--token-file', 'token-file', tokenFile);
}

/** The server's API with the user's token, or undefined without a token. */
export async function serverIfAny(flags: ServerFlags, context: Context): Promise<Api | undefined> {
  const host = serverHost(flags);
  const tokenFile = flags.tokenFile === undefined ? undefined : resolve(context.folder, flags.tokenFile);
  const found = await findToken(context.tokens ?? context.environment, tokenFile, host);
  if (found === undefined) return undefined;
  context.log.debug(`using the token from ${found.source} for ${host}`);
  warnOfClearText(host, context.log);
  const { http, signal } = context;
  return createApi({ http, host, authorization: `Bearer ${found.token}`, signal });
}

/** Like `serverIfAny`, but throws DeniedError without a token. */
export async function openServer(flags: ServerFlags, context: Context): Promise<Api> {
  const api = await serverIfAny(flags, context);
  if (api === undefined) throw noToken(serverHost(flags));
  return api;
}
