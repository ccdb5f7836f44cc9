import { fallback, object, optional, parseJson, pipe, record, safeParse, string } from 'valibot';
import { UsageError } from '../../errors.ts';
import type { Lookup } from '../read/variables/template.ts';
import type { Value } from '../read/yaml/value.ts';
import { isMapping } from '../read/yaml/value.ts';

/** The variables that give this tool its secrets, and tokens that end with the CI job. */
export const OWN_SECRETS: ReadonlySet<string> = new Set([
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
]);

/** Characters. Shorter values are found in too many texts by chance. */
const SHORTEST_SECRET = 8;

/** The credentials in a `config.json` of Docker. Another key, or one of another form, is not read. */
const TEXT = fallback(optional(string(), ''), '');
const ENTRY = object({ auth: TEXT, password: TEXT, identitytoken: TEXT, registrytoken: TEXT });
const CONFIG = pipe(
  string(),
  parseJson(),
  object({ auths: record(string(), fallback(optional(ENTRY), undefined)) }),
);

/** The last texts that were asked for, since each text of a model asks for the same ones. */
const known = new Map<string, readonly string[]>();

/** Returns the value itself, and the credentials in it if it is a `config.json` of Docker. */
function secretTexts(value: string): readonly string[] {
  const trimmed = value.trim();
  if (!trimmed.startsWith('{')) return [trimmed];
  const before = known.get(trimmed);
  if (before !== undefined) return before;
  const all = [trimmed, ...credentialsIn(trimmed)];
  if (known.size >= OWN_SECRETS.size) known.clear();
  known.set(trimmed, all);
  return all;
}

/** Each `auth` as it is written, the password in it, and the tokens. */
function credentialsIn(json: string): string[] {
  const parsed = safeParse(CONFIG, json);
  if (!parsed.success) return [];
  return Object.values(parsed.output.auths).flatMap((entry) => {
    const { auth = '', ...others } = entry ?? {};
    // An `auth` is `user:password` in Base64.
    const password = /:(.*)$/s.exec(Buffer.from(auth, 'base64').toString('utf8'))?.[1] ?? '';
    return [auth, password.replaceAll('\0', ''), ...Object.values(others)].filter((one) => one !== '');
  });
}

/** Returns the values of the build's own secrets, for `registerSecret`. */
export function ownSecretValues(environment: Readonly<Record<string, string | undefined>>): string[] {
  return [...OWN_SECRETS].flatMap((name) => secretTexts(environment[name] ?? ''));
}

/** The secrets of the build that have a value which can't be in a text by chance. */
export function ownSecretsIn(lookup: Lookup): { name: string; value: string }[] {
  const all = [...OWN_SECRETS].flatMap((name) =>
    secretTexts(lookup(name) ?? '').map((value) => ({ name, value })),
  );
  return all.filter(({ value }) => value.length >= SHORTEST_SECRET);
}

/** Throws UsageError if the variable at `where` holds a secret of the build, which no device may get. */
export function refuseOwnSecret(name: string, where: string): void {
  if (!OWN_SECRETS.has(name)) return;
  throw new UsageError(`${where}: ${name} is a secret of the build and must not ship`, {
    hint: 'use a variable of another name for a secret that the application needs',
  });
}

/**
 * Throws UsageError if the text of a shipped file has the value of a secret of the build. The
 * message names the variable and the file, never the value.
 */
export function refuseSecretValues(text: string, path: string, lookup: Lookup): void {
  for (const { name, value } of ownSecretsIn(lookup)) if (text.includes(value)) refuseOwnSecret(name, path);
}

/**
 * Throws UsageError if a text in `value`, which `file` holds at the keys `at`, has the value of a
 * secret of the build. The text of a file may quote, escape or indent a value, so a search in the
 * text alone does not find it.
 */
export function refuseSecretsIn(
  value: Value | undefined,
  file: string,
  lookup: Lookup,
  at: readonly string[] = [],
): void {
  const where = at.length === 0 ? file : `${file}: ${at.join('.')}`;
  if (typeof value === 'string') refuseSecretValues(value.replaceAll('$$', '$'), where, lookup);
  if (Array.isArray(value)) value.forEach((item) => refuseSecretsIn(item, file, lookup, at));
  if (!isMapping(value)) return;
  for (const [key, item] of Object.entries(value)) {
    refuseSecretValues(key, where, lookup);
    refuseSecretsIn(item, file, lookup, [...at, key]);
  }
}
