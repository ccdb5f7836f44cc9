import { UsageError } from '../../errors.ts';
import { hideCredentials } from '../../io/redact.ts';
import { didYouMean } from '../../io/suggest.ts';
import { flagName } from '../terminal/command.ts';
import type { OptionTable } from '../terminal/command.ts';
import type { BuildFlags } from './build.ts';
import { BUILD_OPTIONS } from './build.ts';
import { DEPLOY_OPTIONS } from './deploy.ts';
import { SERVER_OPTIONS } from './server.ts';
import { DEFAULT_HOST } from '../../server/host.ts';

/** What `x-mender` may hold: how the application is built and which group gets it. */
const KNOWN: OptionTable = {
  ...BUILD_OPTIONS,
  'mender-host': SERVER_OPTIONS['mender-host'],
  'device-group': DEPLOY_OPTIONS['device-group'],
};

/** Options of one run or one machine, not of an application. */
const NOT_IN_COMPOSE_FILE = new Set([
  'artifact-version',
  'artifact-filename',
  'service-file',
  'service-image',
  'profile',
  'env-file',
  'force',
  'locked',
  'release',
  'previous-version',
  'base',
  'also-full',
  'device-report',
  'allow-key-change',
  'report-html',
  'sign',
  'sign-with',
  // The token goes there.
  'library',
  'cache',
  'cache-limit',
  'cache-limit-percent',
  'cache-limit-size',
  'cache-dir',
]);

/**
 * Options that decide where credentials go or whether TLS protects them. A project may repeat what
 * the user says and never decides it.
 */
const USERS_WORD: ReadonlySet<string> = new Set(['mender-host', 'insecure-registry']);

/**
 * The flags, completed by the `x-mender` of the Compose file where neither a flag nor its
 * environment variable says anything. Throws UsageError for an unknown key, for a value of the
 * wrong type, and for a key that would decide where credentials go.
 */
export function withComposeSettings<Flags extends BuildFlags>(
  flags: Flags,
  settings: Readonly<Record<string, unknown>>,
): Flags {
  const merged: Record<string, unknown> = { ...(flags as object) };
  for (const [key, value] of Object.entries(settings)) {
    const name = flagName(key);
    const read = settingValue(key, value);
    if (USERS_WORD.has(key)) refuseNewDestination(key, read, merged[name]);
    else merged[name] ??= read;
  }
  return merged as Flags;
}

/** A flag wins over the project, so only a value without a flag is refused. */
function refuseNewDestination(key: string, value: unknown, flag: unknown): void {
  if (flag !== undefined || (key === 'mender-host' && value === DEFAULT_HOST)) return;
  throw new UsageError(`x-mender: ${key}: a project does not decide where your credentials go`, {
    hint: `if you trust it, add ${[value]
      .flat()
      .map((one) => `--${key} ${hideCredentials(String(one))}`)
      .join(' ')}`,
  });
}

function settingValue(key: string, value: unknown): unknown {
  const option = Object.hasOwn(KNOWN, key) ? KNOWN[key] : undefined;
  if (option === undefined || NOT_IN_COMPOSE_FILE.has(key)) {
    const known = Object.keys(KNOWN).filter((name) => !NOT_IN_COMPOSE_FILE.has(name));
    throw new UsageError(`x-mender: unknown key ${JSON.stringify(key)}`, {
      hint: didYouMean(key, known) ?? `it may hold: ${known.join(', ')}`,
    });
  }
  if (option.array) return (Array.isArray(value) ? value : [value]).map((item) => textOf(key, item));
  if (option.type === 'boolean') return truthOf(key, value);
  const text = textOf(key, value);
  if (option.choices && !option.choices.includes(text))
    throw wrongValue(key, value, option.choices.join(', '));
  return text;
}

function textOf(key: string, value: unknown): string {
  const isText = typeof value === 'number' || (typeof value === 'string' && !value.includes('\0'));
  if (isText) return String(value);
  throw wrongValue(key, value, 'a text');
}

function truthOf(key: string, value: unknown): boolean {
  if (typeof value === 'boolean') return value;
  throw wrongValue(key, value, 'true or false');
}

function wrongValue(key: string, value: unknown, expected: string): UsageError {
  return new UsageError(`x-mender: ${key}: expected ${expected}, found ${JSON.stringify(value)}`);
}
