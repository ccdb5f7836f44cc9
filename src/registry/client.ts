import type { HttpResponse } from '../http/http.ts';
import { createAuthorization } from './authorization.ts';
import type { Authorization, AuthorizationContext } from './authorization.ts';
import { isOfRegistry, repositoryUrl } from './endpoint.ts';
import type { Repository } from './endpoint.ts';
import { denied, failureOf } from './failure.ts';

interface RegistryRequest {
  method: 'GET' | 'HEAD';
  /** Below the repository: `manifests/TAG`, `blobs/DIGEST`. */
  path: string;
  headers?: Record<string, string>;
  signal?: AbortSignal | undefined;
}

export interface RegistryClient {
  /**
   * Sends a request with whatever authorization the registry asks for. Resolves for success, 404 and 416; throws
   * DeniedError for 401 and 403, NetworkError for the rest.
   */
  request(repository: Repository, request: RegistryRequest): Promise<HttpResponse>;
}

/** A client of registries by https://github.com/opencontainers/distribution-spec/blob/main/spec.md */
export function createClient(context: AuthorizationContext): RegistryClient {
  const authorizations = new Map<string, Authorization>();
  return {
    request: async (repository, request) => {
      const key = `${repository.registry}/${repository.repository}`;
      const authorization =
        authorizations.get(key) ?? createAuthorization(repository.registry, repository.repository, context);
      authorizations.set(key, authorization);
      const response = await authorized(context, authorization, repository, request);
      const { status } = response;
      if ((status >= 200 && status < 300) || status === 404 || status === 416) return response;
      throw await failureOf(repository, request.path, response);
    },
  };
}

async function authorized(
  context: AuthorizationContext,
  authorization: Authorization,
  repository: Repository,
  request: RegistryRequest,
): Promise<HttpResponse> {
  const header = authorization.header();
  const response = await send(context, repository, request, header);
  // A storage host that the registry redirects to has no say in its credentials.
  const isOwn = isOfRegistry(response.url, repository.registry, context.insecureRegistries);
  if (response.status !== 401 || !isOwn) return response;
  response.body.destroy();
  const challenge = response.headers['www-authenticate'] ?? '';
  const renewed = await authorization.renew(header, challenge, request.signal);
  if (renewed === undefined) throw denied(repository, 'the registry wants a login');
  return send(context, repository, request, renewed);
}

function send(
  { http, insecureRegistries }: AuthorizationContext,
  { registry, repository }: Repository,
  { method, path, headers, signal }: RegistryRequest,
  authorization: string | undefined,
): Promise<HttpResponse> {
  return http.request({
    method,
    url: `${repositoryUrl(registry, repository, insecureRegistries)}/${path}`,
    headers: { ...headers, ...(authorization === undefined ? {} : { authorization }) },
    ...(signal === undefined ? {} : { signal }),
  });
}
