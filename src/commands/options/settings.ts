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
  // It protects the disk of the machine that builds.
  'max-layer-size',
  'sign',
  'sign-with',
  // The token goes there.
  'library',
  'cache',
  'cache-limit',
  'cache-limit-percent',
  'cache-limit-size',
  'cache-dir',
  // Credentials go there, and what comes from there is trusted.
  'cache-from',
  'cache-to',
  'cache-key',
]);

/** What `x-mender` may hold: how the application is built and which group gets it. */
const KNOWN: OptionTable = without(
  {
    ...BUILD_OPTIONS,
    'mender-host': SERVER_OPTIONS['mender-host'],
    'device-group': DEPLOY_OPTIONS['device-group'],
  },
  NOT_IN_COMPOSE_FILE,
);

/** Returns the options of a table without those of these names. */
export function without(table: OptionTable, names: ReadonlySet<string>): OptionTable {
  return Object.fromEntries(Object.entries(table).filter(([name]) => !names.has(name)));
}

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
    const read = settingValue('x-mender', key, value, KNOWN);
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

/**
 * Returns the value of a setting as the option of its name has it. `known`: the options that may be
 * set there; `others`: what else may be there. Throws UsageError, which begins with `where`, for an
 * unknown key and for a value of the wrong type.
 */
export function settingValue(
  where: string,
  key: string,
  value: unknown,
  known: OptionTable,
  others: readonly string[] = [],
): unknown {
  const option = Object.hasOwn(known, key) ? known[key] : undefined;
  const place = `${where}: ${key}`;
  if (option === undefined) {
    const names = [...Object.keys(known), ...others];
    throw new UsageError(`${where}: unknown key ${JSON.stringify(key)}`, {
      hint: didYouMean(key, names) ?? `it may hold: ${names.join(', ')}`,
    });
  }
  if (option.array) return (Array.isArray(value) ? value : [value]).map((item) => textOf(place, item));
  if (option.type === 'boolean') return truthOf(place, value);
  const text = textOf(place, value);
  if (option.choices && !option.choices.includes(text))
    throw wrongValue(place, value, option.choices.join(', '));
  return text;
}

function textOf(place: string, value: unknown): string {
  const isText = typeof value === 'number' || (typeof value === 'string' && !value.includes('\0'));
  if (isText) return String(value);
  throw wrongValue(place, value, 'a text');
}

function truthOf(place: string, value: unknown): boolean {
  if (typeof value === 'boolean') return value;
  throw wrongValue(place, value, 'true or false');
}

function wrongValue(place: string, value: unknown, expected: string): UsageError {
  return new UsageError(`${place}: expected ${expected}, found ${JSON.stringify(value)}`);
}
