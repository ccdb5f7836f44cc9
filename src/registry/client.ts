import type { HttpRequest, HttpResponse } from '../http/http.ts';
import type { Authorization, AuthorizationContext } from './authorization.ts';
import { createAuthorization } from './authorization.ts';
import { chooseChallenge } from './challenge.ts';
import type { CertificateLookup } from './certificates.ts';
import type { FindOrigin, ImageRepository } from './endpoint.ts';
import { isAtOrigin, repositoryName } from './endpoint.ts';
import { denied, registryFailure } from './failure.ts';

interface RegistryRequest {
  method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE';
  /** Below the repository: `manifests/TAG`, `blobs/DIGEST`. */
  path: string;
  /**
   * The address that the registry gave for `path`, as of an upload. Credentials go there only if it
   * is at the registry itself.
   */
  location?: URL;
  body?: NonNullable<HttpRequest['body']>;
  /** Bytes of the body. */
  contentLength?: number;
  headers?: Record<string, string>;
  /** Milliseconds until the response begins, for a cache that fetches the whole blob first. */
  firstByteMs?: number;
  /** False for a request that is sent once. */
  retry?: boolean;
  signal?: AbortSignal | undefined;
}

export interface RegistryClient {
  /**
   * Sends a request with the authorization that the registry asks for. Resolves for success, 404
   * and 416. Throws DeniedError for 401 and 403, and NetworkError for other statuses.
   */
  request(repository: ImageRepository, request: RegistryRequest): Promise<HttpResponse>;
}

export interface ClientContext extends AuthorizationContext {
  origin: FindOrigin;
  /** For TLS with registries that need more than the usual authorities. */
  certificates?: CertificateLookup | undefined;
}

/** What a client knows of one registry or repository. */
interface Session {
  authorization: Authorization;
  /** The challenge at `/v2/`, asked for once. */
  challengeAtRoot?: Promise<string>;
}

/**
 * A client of registries by https://github.com/opencontainers/distribution-spec/blob/main/spec.md
 */
export function createClient(context: ClientContext): RegistryClient {
  const sessions = new Map<string, Session>();
  return {
    request: async (repository, request) => {
      const key = repositoryName(repository);
      const session = sessions.get(key) ?? { authorization: createAuthorization(repository, context) };
      sessions.set(key, session);
      const response = await requestAuthorized(context, session, repository, request);
      const { status } = response;
      if ((status >= 200 && status < 300) || status === 404 || status === 416) return response;
      throw await registryFailure(repository, request.path, response);
    },
  };
}

async function requestAuthorized(
  context: ClientContext,
  session: Session,
  repository: ImageRepository,
  request: RegistryRequest,
): Promise<HttpResponse> {
  const { authorization } = session;
  const origin = await context.origin(repository.registry);
  const stale = authorization.header();
  const response = await send(context, origin, repository, request, stale);
  // A storage host that the registry redirects to has no say in the registry's credentials.
  if (!isAtOrigin(response.url, origin)) return response;
  const challenge = await challengeIn(response, context, session, repository, request.signal);
  if (challenge === undefined) return response;
  const renewed = await authorization.renew(stale, challenge, request.signal);
  if (renewed === undefined && response.status !== 401) return response;
  response.body.destroy();
  if (renewed === undefined) throw denied(repository, 'the registry wants a login');
  return send(context, origin, repository, request, renewed);
}

/**
 * Returns the challenge to answer after a refusal, or undefined if there is nothing to answer. Some
 * registries refuse strangers with 401, 403 or 404 without a challenge, and tell at `/v2/` only
 * what they want.
 */
async function challengeIn(
  response: HttpResponse,
  context: ClientContext,
  session: Session,
  repository: ImageRepository,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  const own = response.headers['www-authenticate'] ?? '';
  const isRefused = response.status === 401;
  if (isRefused && chooseChallenge(own) !== undefined) return own;
  const mayHide = response.status === 403 || response.status === 404;
  const isStranger = session.authorization.header() === undefined;
  if (!isRefused && !(mayHide && isStranger)) return undefined;
  if (!isRefused && (await context.credentials(repository, signal)) === undefined) return undefined;
  session.challengeAtRoot ??= askAtRoot(context, repository, signal);
  const challenge = await session.challengeAtRoot;
  return isRefused || challenge !== '' ? challenge : undefined;
}

/** Returns the challenge that `/v2/` answers with, or an empty text. */
async function askAtRoot(
  { http, origin, certificates: lookUp }: ClientContext,
  { registry }: ImageRepository,
  signal: AbortSignal | undefined,
): Promise<string> {
  const url = `${await origin(registry)}/v2/`;
  const certificates = await lookUp?.(registry);
  const request = { method: 'GET', url, signal, ...(certificates && { certificates }) } as const;
  const response = await http.request(request);
  response.body.destroy();
  return response.status === 401 ? (response.headers['www-authenticate'] ?? '') : '';
}

async function send(
  { http, insecureRegistries, certificates: lookUp }: ClientContext,
  origin: string,
  { registry, repository }: ImageRepository,
  { path, location, headers, ...request }: RegistryRequest,
  authorization: string | undefined,
): Promise<HttpResponse> {
  const url = location?.href ?? `${origin}/v2/${repository}/${path}`;
  // Manifests and blobs are verified, and a redirect carries no credentials.
  const message = { ...request, url, plainHosts: insecureRegistries };
  if (!isAtOrigin(url, origin)) {
    return http.request({ ...message, givenBy: new URL(origin).hostname, headers: { ...headers } });
  }
  const certificates = await lookUp?.(registry);
  return http.request({
    ...message,
    ...(certificates && { certificates }),
    headers: { ...headers, ...(authorization === undefined ? {} : { authorization }) },
  });
}
