import { DeniedError, NetworkError } from '../errors.ts';
import { describeText } from '../http/http.ts';
import type { Http } from '../http/http.ts';
import { registerSecret } from '../io/redact.ts';
import type { Api } from './api.ts';
import { createApi } from './api.ts';
import { reasonOf } from './failure.ts';

export interface ServerLogin {
  user: string;
  password: string;
  /** The current code of the second factor, where the account has one. */
  twoFactorCode?: string | undefined;
}

/**
 * A token for a user. Throws DeniedError when the server does not take the credentials,
 * NetworkError for an answer without a token.
 */
export async function logIn(
  http: Http,
  host: string,
  { user, password, twoFactorCode }: ServerLogin,
  signal?: AbortSignal,
): Promise<string> {
  const basic = Buffer.from(`${user}:${password}`).toString('base64');
  registerSecret(password);
  registerSecret(basic);
  const api = createApi({ http, host, authorization: `Basic ${basic}`, signal });
  const answer = await api.call({
    method: 'POST',
    path: '/api/management/v1/useradm/auth/login',
    headers: { accept: 'application/jwt, application/json' },
    json: twoFactorCode === undefined ? {} : { token2fa: twoFactorCode },
    doing: `logging in as ${user}`,
    accept: [401],
  });
  if (answer.status === 401) throw refused(user, api.host, reasonOf(answer));
  const token = tokenIn(answer.text.trim());
  registerSecret(token);
  if (token !== undefined) return token;
  throw new NetworkError(
    `logging in as ${user}: expected a token from ${api.host}, found ${describeText(answer.text)}`,
    {
      hint: 'check --mender-host, and whether a proxy or a login page answers in its place',
    },
  );
}

/** Resolves if the server accepts the token. Throws DeniedError if it does not. */
export async function checkToken(api: Api): Promise<void> {
  await api.call({ method: 'GET', path: '/api/management/v1/useradm/users/me', doing: 'checking the token' });
}

/** The token of an answer, which some servers write as a JSON string. Other JSON is not a token. */
function tokenIn(text: string): string | undefined {
  const [, token] = /^"?([A-Za-z0-9._~+/=-]+)"?$/.exec(text) ?? [];
  return token === undefined || /^(null|true|false|[\d.eE+-]+)$/.test(token) ? undefined : token;
}

function refused(user: string, host: string, reason: string): DeniedError {
  const hint = /2fa|two.?factor/i.test(reason)
    ? 'give the current code of your second factor with --2fa-code'
    : 'check the user name and the password';
  return new DeniedError(`logging in as ${user}: ${host} answered 401: ${reason}`, { hint });
}
