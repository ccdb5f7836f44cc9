import type { Environment } from '../../../environment.ts';
import { fallback, object, optional, parseJson, pipe, record, safeParse, string } from 'valibot';
import { UsageError } from '../../../errors.ts';
import { escapesOf } from '../../../io/redact.ts';
import type { Value } from '../yaml/value.ts';
import { isMapping } from '../yaml/value.ts';
import type { Lookup } from './template.ts';

/** The variables that give this tool its secrets, and tokens that end with the CI job. */
const KNOWN: readonly string[] = [
  'MENDER_PAT',
  'MENDER_TOKEN',
  'LIBRARY_TOKEN',
  'DOCKER_CONFIG_JSON',
  'DOCKER_AUTH_CONFIG',
  'CI_JOB_TOKEN',
  'CI_REGISTRY_PASSWORD',
  'GITHUB_TOKEN',
  'ACTIONS_RUNTIME_TOKEN',
  'ACTIONS_ID_TOKEN_REQUEST_TOKEN',
];

/** Characters. Shorter values are found in too many texts by chance. */
const SHORTEST_SECRET = 8;

/** User names that tools for git put before a token, as in the headers of a checkout. */
const TOKEN_USERS = ['x-access-token', 'gitlab-ci-token', 'oauth2'];

/**
 * The value as it is, in an address, in a form, in JSON with and without escaped slashes, and in
 * Base64, alone and as a password of git.
 */
function spellingsOf(value: string): string[] {
  const encoded = [value, ...TOKEN_USERS.map((user) => `${user}:${value}`)].map((text) =>
    Buffer.from(text).toString('base64').replace(/=+$/, ''),
  );
  const texts = [value, ...escapesOf(value)];
  const slashed = texts.map((text) => text.replaceAll('/', '\\/'));
  return [...new Set([...texts, ...slashed, ...encoded])];
}

/**
 * The credentials in a `config.json` of Docker. Another key, or one of another form, is not read.
 */
const TEXT = fallback(optional(string(), ''), '');
const ENTRY = object({ auth: TEXT, password: TEXT, identitytoken: TEXT, registrytoken: TEXT });
const CONFIG = pipe(
  string(),
  parseJson(),
  object({ auths: record(string(), fallback(optional(ENTRY), undefined)) }),
);

/** Returns the value itself, and the credentials in it if it is a `config.json` of Docker. */
function secretTexts(value: string): readonly string[] {
  const trimmed = value.trim();
  return trimmed.startsWith('{') ? [trimmed, ...credentialsIn(trimmed)] : [trimmed];
}

/**
 * Returns each `auth` of a `config.json` of Docker as it is written, the password in it, and the
 * tokens. Another text has none.
 */
export function credentialsIn(json: string): string[] {
  const parsed = safeParse(CONFIG, json);
  if (!parsed.success) return [];
  return Object.values(parsed.output.auths).flatMap((entry) => {
    const { auth = '', ...others } = entry ?? {};
    // An `auth` is `user:password` in Base64.
    const password = /:(.*)$/s.exec(Buffer.from(auth, 'base64').toString('utf8'))?.[1] ?? '';
    return [auth, password.replaceAll('\0', ''), ...Object.values(others)].filter((one) => one !== '');
  });
}

/** True if the variable of this name always is a secret of the build. */
export function isSecretVariable(name: string): boolean {
  return KNOWN.includes(name);
}

/** Returns the values of the build's own secrets, for `registerSecret`. */
export function ownSecretValues(environment: Environment): string[] {
  return KNOWN.flatMap((name) => secretTexts(environment[name] ?? ''));
}

/** One more secret that the user's settings name: a variable, or what is in a file. */
export interface NamedSecret {
  /** The variable, or words like `the token in PATH`. */
  name: string;
  value?: string | undefined;
}

/** The secrets of the build, which no artifact may hold. Errors name them, never their values. */
export class OwnSecrets {
  /** The variables. */
  readonly names: ReadonlySet<string>;
  /** The values that can't be in a text by chance, with their names. */
  readonly texts: readonly { name: string; value: string }[];
  readonly #named: readonly NamedSecret[];

  constructor(lookup: Lookup, named: readonly NamedSecret[] = []) {
    this.#named = named;
    const all = [...KNOWN.map((name): NamedSecret => ({ name, value: lookup(name) })), ...named];
    this.names = new Set(all.map(({ name }) => name));
    this.texts = all
      .flatMap(({ name, value = '' }) => secretTexts(value).map((text) => ({ name, value: text })))
      .filter(({ value }) => value.length >= SHORTEST_SECRET)
      .flatMap(({ name, value }) => spellingsOf(value).map((text) => ({ name, value: text })));
  }

  /** The same secrets, where variables have other values. */
  withLookup(lookup: Lookup): OwnSecrets {
    return new OwnSecrets(lookup, this.#named);
  }

  /** Throws UsageError if the variable at `where` is a secret, which no device may get. */
  refuseName(name: string, where: string): void {
    if (this.names.has(name)) throw mustNotShip(name, where);
  }

  /** Throws UsageError if the text of a shipped file has the value of a secret. */
  refuseText(text: string, where: string): void {
    for (const { name, value } of this.texts) if (text.includes(value)) throw mustNotShip(name, where);
  }

  /**
   * Throws UsageError if a text in `value`, which `file` holds at the keys `at`, has the value of a
   * secret. The text of a file may quote, escape or indent a value, so a search in the text alone
   * does not find it.
   */
  refuseIn(value: Value | undefined, file: string, at: readonly string[] = []): void {
    const where = at.length === 0 ? file : `${file}: ${at.join('.')}`;
    if (typeof value === 'string') this.refuseText(value.replaceAll('$$', '$'), where);
    if (Array.isArray(value)) for (const item of value) this.refuseIn(item, file, at);
    if (!isMapping(value)) return;
    for (const [key, item] of Object.entries(value)) {
      this.refuseText(key, where);
      this.refuseIn(item, file, [...at, key]);
    }
  }
}

function mustNotShip(name: string, where: string): UsageError {
  return new UsageError(`${where}: ${name} is a secret of the build and must not ship`, {
    hint: name.includes(' ')
      ? 'remove its value, or exclude the file from a mounted folder with .menderignore'
      : 'use a variable of another name for a secret that the application needs',
  });
}
