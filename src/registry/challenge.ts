/**
 * What a registry asks for with a 401.
 * https://www.rfc-editor.org/rfc/rfc9110#field.www-authenticate
 */
export interface Challenge {
  /** Lower case: `basic`, `bearer`. */
  scheme: string;
  /** Names in lower case. */
  parameters: Record<string, string>;
}

const NAME = "[!#$%&'*+.^_`|~\\w-]+";
const PARAMETER = `(${NAME})\\s*=\\s*(?:"((?:[^"\\\\]|\\\\.)*)"|([^\\s,"]+))`;
const PART = new RegExp(`[\\s,]*(?:${PARAMETER}|(${NAME})(?=[\\s,]|$))`, 'y');

/** Returns the challenges of a WWW-Authenticate header in order, up to the first malformed one. */
export function parseChallenges(header: string): Challenge[] {
  const challenges: Challenge[] = [];
  PART.lastIndex = 0;
  for (let part = PART.exec(header); part !== null; part = PART.exec(header)) {
    const [, name, quoted, plain, scheme] = part;
    if (scheme !== undefined) challenges.push({ scheme: scheme.toLowerCase(), parameters: {} });
    const current = challenges.at(-1);
    if (name !== undefined && current !== undefined) {
      current.parameters[name.toLowerCase()] = quoted?.replace(/\\(.)/g, '$1') ?? plain ?? '';
    }
  }
  return challenges;
}

/** A challenge that this client can answer. */
export type ChosenChallenge =
  /** A token of the service at `realm`. */
  { kind: 'token'; realm: string; service: string | undefined } | { kind: 'password' };

/**
 * Returns what to answer to a WWW-Authenticate header: a token before a password. Undefined if
 * neither is asked for.
 */
export function chooseChallenge(header: string): ChosenChallenge | undefined {
  const challenges = parseChallenges(header);
  const bearer = challenges.find(({ scheme }) => scheme === 'bearer')?.parameters;
  if (bearer?.['realm'] !== undefined) {
    return { kind: 'token', realm: bearer['realm'], service: bearer['service'] };
  }
  return challenges.some(({ scheme }) => scheme === 'basic') ? { kind: 'password' } : undefined;
}
