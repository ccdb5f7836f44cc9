import { nonEmpty, object, pipe, safeParse, string, transform, union } from 'valibot';
import { DeniedError, NetworkError } from '../errors.ts';
import { readJson, textOf } from '../http/http.ts';
import type { Http, HttpRequest } from '../http/http.ts';
import { excerpt, registerSecret } from '../io/redact.ts';
import { allowsPlainHttp } from './endpoint.ts';

/** What a registry, or its token service, may see. */
export type RegistryCredentials =
  | { kind: 'password'; username: string; password: string }
  /** A refresh token, exchanged for access tokens with OAuth2. */
  | { kind: 'identity'; token: string }
  /** A token for the registry itself. */
  | { kind: 'registry'; token: string };

export interface TokenRequest {
  /** For messages. */
  registry: string;
  /** URL of the token service. */
  realm: string;
  service: string | undefined;
  scope: string;
  credentials: RegistryCredentials | undefined;
}

const CLIENT = 'mender-docker-delta';

/**
 * Gets an access token from a registry's token service. Throws DeniedError if the service refuses
 * the credentials, or if they would have to go over plain http.
 * https://distribution.github.io/distribution/spec/auth/token/ and .../spec/auth/oauth/
 */
export async function fetchToken(
  http: Http,
  request: TokenRequest,
  insecure: readonly string[],
  signal: AbortSignal | undefined,
): Promise<string> {
  const realm = checkedRealm(request, insecure);
  const givenBy = new URL(`http://${request.registry}`).hostname;
  const message = { ...messageFor(request, realm), givenBy, ...(signal ? { signal } : {}) };
  const response = await http.request(message);
  if (response.status === 200) return tokenIn(await readJson(response), realm);
  const text = excerpt(await textOf(response), 200);
  throw refusal(request, realm, response.status, text);
}

function checkedRealm({ realm, registry, credentials }: TokenRequest, insecure: readonly string[]): URL {
  const url = URL.canParse(realm) ? new URL(realm) : undefined;
  if (url?.protocol !== 'https:' && url?.protocol !== 'http:') {
    throw new NetworkError(`${registry}: its token service has no usable URL`);
  }
  if (url.protocol === 'https:' || credentials === undefined || allowsPlainHttp(url.host, insecure)) {
    return url;
  }
  throw new DeniedError(`${registry}: its token service ${url.host} wants the credentials over plain http`, {
    hint: `if that network can be trusted, use --insecure-registry ${url.host}`,
  });
}

function messageFor(request: TokenRequest, realm: URL): HttpRequest {
  const { credentials, service, scope } = request;
  const asked = { ...(service === undefined ? {} : { service }), scope };
  if (credentials?.kind === 'identity') {
    const form = {
      grant_type: 'refresh_token',
      refresh_token: credentials.token,
      client_id: CLIENT,
      ...asked,
    };
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    // Asking twice changes nothing.
    return {
      method: 'POST',
      url: realm.href,
      headers,
      body: new URLSearchParams(form).toString(),
      retry: true,
    };
  }
  for (const [name, value] of Object.entries(asked)) realm.searchParams.set(name, value);
  const headers = credentials?.kind === 'password' ? { authorization: basicHeader(credentials) } : {};
  return { method: 'GET', url: realm.href, headers };
}

/** Returns the Authorization header for a user name and password. */
export function basicHeader({ username, password }: { username: string; password: string }): string {
  const encoded = Buffer.from(`${username}:${password}`).toString('base64');
  registerSecret(encoded);
  return `Basic ${encoded}`;
}

const TOKEN = pipe(string(), nonEmpty());
const ANSWER = union([
  pipe(
    object({ token: TOKEN }),
    transform(({ token }) => token),
  ),
  pipe(
    object({ access_token: TOKEN }),
    transform((answer) => answer.access_token),
  ),
]);

function tokenIn(json: unknown, realm: URL): string {
  const result = safeParse(ANSWER, json);
  if (!result.success) throw new NetworkError(`token service ${realm.host}: its answer has no token`);
  registerSecret(result.output);
  return result.output;
}

function refusal(request: TokenRequest, { host }: URL, status: number, text: string): Error {
  const { registry, credentials } = request;
  const who = credentials === undefined ? 'an anonymous request' : 'the stored credentials';
  const message = `${registry}: its token service ${host} refused ${who} (${status}): ${text}`;
  if (status >= 500 || status === 429) return new NetworkError(message);
  return new DeniedError(message, { hint: `run: docker login ${registry}` });
}
