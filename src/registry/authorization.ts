import type { Http } from '../http/http.ts';
import { chooseChallenge } from './challenge.ts';
import type { CredentialLookup } from './credentials.ts';
import type { ImageRepository } from './endpoint.ts';
import { basicHeader, fetchToken } from './token.ts';

/** Keeps the Authorization header for one repository. */
export interface Authorization {
  /** The header to send now. Undefined until the registry has asked for one. */
  header(): string | undefined;
  /**
   * Returns a header that answers a WWW-Authenticate header, after `stale` was refused. Callers
   * that ask at the same time share one new header. Returns undefined if the registry wants a login
   * that nobody gave, or asks for something unknown.
   */
  renew(stale: string | undefined, challenge: string, signal?: AbortSignal): Promise<string | undefined>;
}

export interface AuthorizationContext {
  http: Http;
  credentials: CredentialLookup;
  insecureRegistries: readonly string[];
  /** What tokens are asked for. The default is `pull`. */
  access?: Access;
}

/**
 * Some registries let those delete who may push, others want the right by its name. A server of
 * tokens grants the part that the account has.
 * https://distribution.github.io/distribution/spec/auth/scope/
 */
export type Access = 'pull' | 'pull,push' | 'pull,push,delete';

export function createAuthorization(
  repository: ImageRepository,
  context: AuthorizationContext,
): Authorization {
  let current: string | undefined;
  let pending: Promise<string | undefined> | undefined;
  const renewed = async (challenge: string, signal?: AbortSignal): Promise<string | undefined> => {
    try {
      current = await answer(challenge, repository, context, signal);
      return current;
    } finally {
      pending = undefined;
    }
  };
  return {
    header: () => current,
    renew: (stale, challenge, signal) => {
      if (current !== undefined && current !== stale) return Promise.resolve(current);
      pending ??= renewed(challenge, signal);
      return pending;
    },
  };
}

async function answer(
  challenge: string,
  { registry, repository }: ImageRepository,
  { http, credentials: lookUp, insecureRegistries, access = 'pull' }: AuthorizationContext,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  const credentials = await lookUp({ registry, repository }, signal);
  if (credentials?.kind === 'registry') return `Bearer ${credentials.token}`;
  const demand = chooseChallenge(challenge);
  if (demand?.kind === 'token') {
    // Never a wider scope, whatever the registry proposes.
    const scope = `repository:${repository}:${access}`;
    const request = { registry, realm: demand.realm, service: demand.service, scope, credentials };
    return `Bearer ${await fetchToken(http, request, insecureRegistries, signal)}`;
  }
  return demand !== undefined && credentials?.kind === 'password' ? basicHeader(credentials) : undefined;
}
