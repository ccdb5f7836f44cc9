/** What a registry, or its token service, may be shown. */
export type Credentials =
  | { kind: 'password'; username: string; password: string }
  /** A refresh token, exchanged for access tokens with OAuth2. */
  | { kind: 'identity'; token: string }
  /** A token for the registry itself. */
  | { kind: 'registry'; token: string };
