import { UsageError } from '../../errors.ts';
import { createHttp } from '../../http/http.ts';
import { isLoopback } from '../../http/redirect.ts';
import type { Log } from '../../io/log.ts';
import type { Api } from '../../server/api.ts';
import { createApi } from '../../server/api.ts';
import { findToken, noToken } from '../../server/token.ts';
import type { Context, FlagsOf } from '../terminal/command.ts';

/** Options of every command that talks to a Mender server. */
export type ServerFlags = FlagsOf<typeof SERVER_OPTIONS>;

const GROUP = 'The server:';
const DEFAULT_HOST = 'https://hosted.mender.io';

export const SERVER_OPTIONS = {
  'mender-host': {
    group: GROUP,
    alias: 'h',
    type: 'string',
    requiresArg: true,
    describe: 'URL of the Mender server',
    defaultDescription: DEFAULT_HOST,
  },
  'token-file': {
    group: GROUP,
    type: 'string',
    requiresArg: true,
    describe: 'File with a token; MENDER_PAT wins over it',
    defaultDescription: "mender-cli's own",
  },
} as const;

/** Scheme and host of the server. Throws UsageError for what is no http or https URL. */
export function serverHost({ menderHost = DEFAULT_HOST }: ServerFlags): string {
  const given = menderHost.trim();
  const text = given.includes('://') ? given : `https://${given}`;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const known = url?.protocol === 'http:' || url?.protocol === 'https:';
  const isPlain = url?.username === '' && url.password === '' && !/[?#\s]/.test(text);
  if (known && isPlain) return text.replace(/\/+$/, '');
  throw new UsageError(`--mender-host ${menderHost}: expected a URL like ${DEFAULT_HOST}`);
}

/** Says that credentials go to a server in clear; on the own machine nobody listens. */
export function warnOfClearText(host: string, log: Log): void {
  const { protocol, hostname } = new URL(host);
  if (protocol === 'https:' || isLoopback(hostname)) return;
  log.warning(`${host}: credentials go there unencrypted; name it with https:// if it speaks that`);
}

/** The server's API with the user's token, or undefined without a token. */
export async function serverIfAny(flags: ServerFlags, context: Context): Promise<Api | undefined> {
  const host = serverHost(flags);
  const found = await findToken(context.environment, flags.tokenFile);
  if (found === undefined) return undefined;
  context.log.debug(`using the token from ${found.source} for ${host}`);
  warnOfClearText(host, context.log);
  const http = createHttp({ log: context.log });
  return createApi({ http, host, authorization: `Bearer ${found.token}`, signal: context.signal });
}

/** As `serverIfAny`, but throws DeniedError without a token. */
export async function openServer(flags: ServerFlags, context: Context): Promise<Api> {
  const api = await serverIfAny(flags, context);
  if (api === undefined) throw noToken(serverHost(flags));
  return api;
}
