import type { Environment } from '../../environment.ts';
import { DeniedError, UsageError } from '../../errors.ts';
import type { Http } from '../../http/http.ts';
import type { Log } from '../../io/log.ts';
import type { Api } from '../../server/api.ts';
import { createApi } from '../../server/api.ts';
import { warnOfClearText } from '../../server/host.ts';
import { findToken } from '../../server/token.ts';
import type { Profiles } from './profiles.ts';
import { placeOfToken } from './profiles.ts';

/** The servers of a map's accounts. */
export interface Accounts {
  /**
   * The server of an account; `place` is where the map names the account. Every account is opened
   * once. Throws UsageError for an account without a profile, DeniedError if its token is missing.
   */
  open(account: string, place: string): Promise<Api>;
}

interface AccountEffects {
  environment: Environment;
  http: Http;
  log: Log;
  signal?: AbortSignal | undefined;
}

/** The accounts that profiles describe; their tokens are read when they are opened. */
export function createAccounts(profiles: Profiles, effects: AccountEffects): Accounts {
  const opened = new Map<string, Api>();
  return {
    async open(account, place) {
      const api = opened.get(account) ?? (await openAccount(account, place, profiles, effects));
      opened.set(account, api);
      return api;
    },
  };
}

async function openAccount(
  account: string,
  place: string,
  { path, servers }: Profiles,
  { environment, http, log, signal }: AccountEffects,
): Promise<Api> {
  const profile = servers.get(account);
  if (profile === undefined) {
    throw new UsageError(`${place}: there is no server profile ${account} in ${path}`, {
      hint: `add servers.${account} with host and tokenEnv there, or leave the account out with --account`,
    });
  }
  const { host, tokenEnv } = profile;
  const { tokens, tokenFile } = placeOfToken(profile, environment);
  const found = await findToken(tokens, tokenFile, host);
  if (found === undefined) {
    throw new DeniedError(`${place}: there is no token for ${host}`, {
      hint: `set ${tokenEnv ?? 'the token'}, which ${path} names for servers.${account}`,
    });
  }
  warnOfClearText(host, log);
  return createApi({ http, host, authorization: `Bearer ${found.token}`, signal });
}
