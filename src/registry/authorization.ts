import type { Http } from '../http/http.ts';
import { parseChallenges } from './challenge.ts';
import type { Challenge } from './challenge.ts';
import type { CredentialLookup } from './credentials.ts';
import { basicHeader, fetchToken } from './token.ts';

/** Keeps the Authorization header for one repository. */
export interface Authorization {
  /** What to send now; undefined before the registry has asked for anything. */
  header(): string | undefined;
  /**
   * A header that answers a 401 to a request that bore `stale`: a new one, made once for all who ask meanwhile.
   * Undefined where the registry wants a login and there is none, or asks for something unknown.
   */
  renew(stale: string | undefined, challenge: string, signal?: AbortSignal): Promise<string | undefined>;
}

export interface AuthorizationContext {
  http: Http;
  credentials: CredentialLookup;
  insecureRegistries: readonly string[];
}

export function createAuthorization(
  registry: string,
  repository: string,
  context: AuthorizationContext,
): Authorization {
  let current: string | undefined;
  let pending: Promise<string | undefined> | undefined;
  const renewed = async (challenge: string, signal?: AbortSignal): Promise<string | undefined> => {
    try {
      current = await answer(parseChallenges(challenge), registry, repository, context, signal);
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
  challenges: readonly Challenge[],
  registry: string,
  repository: string,
  { http, credentials: lookUp, insecureRegistries }: AuthorizationContext,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  const credentials = await lookUp(registry, signal);
  if (credentials?.kind === 'registry') return `Bearer ${credentials.token}`;
  const bearer = challenges.find(({ scheme }) => scheme === 'bearer')?.parameters;
  if (bearer?.['realm'] !== undefined) {
    // Never more than this, whatever scope the registry proposes.
    const scope = `repository:${repository}:pull`;
    const request = { registry, realm: bearer['realm'], service: bearer['service'], scope, credentials };
    return `Bearer ${await fetchToken(http, request, insecureRegistries, signal)}`;
  }
  const basic = challenges.some(({ scheme }) => scheme === 'basic');
  return basic && credentials?.kind === 'password' ? basicHeader(credentials) : undefined;
}
