import { UsageError } from '../../errors.ts';
import type { OptionTable } from '../terminal/command.ts';
import type { BuildFlags } from './build.ts';
import { BUILD_OPTIONS } from './build.ts';
import { DEPLOY_OPTIONS } from './deploy.ts';
import { SERVER_OPTIONS } from './server.ts';

/** What `x-mender` may hold: how the application is built, and where it goes. */
const KNOWN: OptionTable = {
  ...BUILD_OPTIONS,
  'mender-host': SERVER_OPTIONS['mender-host'],
  'device-group': DEPLOY_OPTIONS['device-group'],
};

/** Options that belong to one run or one machine and not to an application. */
const NOT_IN_MANIFEST = new Set([
  'artifact-version',
  'artifact-filename',
  'service-file',
  'service-image',
  'profile',
  'release',
  'previous-version',
  'base',
  'also-full',
  'sign',
  // The token goes there.
  'library',
  'cache',
  'cache-dir',
]);

/**
 * The flags, completed by the manifest's `x-mender` where a flag (or its environment variable) says nothing. Throws
 * UsageError for an unknown key or a value of the wrong type.
 */
export function withManifestSettings<Flags extends BuildFlags>(
  flags: Flags,
  settings: Readonly<Record<string, unknown>>,
): Flags {
  const merged: Record<string, unknown> = { ...(flags as object) };
  for (const [key, value] of Object.entries(settings)) {
    const name = camelCase(key);
    const read = settingValue(key, value);
    merged[name] ??= read;
  }
  return merged as Flags;
}

function settingValue(key: string, value: unknown): unknown {
  const option = KNOWN[key];
  if (option === undefined || NOT_IN_MANIFEST.has(key)) {
    const known = Object.keys(KNOWN).filter((name) => !NOT_IN_MANIFEST.has(name));
    throw new UsageError(`x-mender: unknown key ${JSON.stringify(key)}`, {
      hint: `it may hold: ${known.join(', ')}`,
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
  if (typeof value === 'string' || typeof value === 'number') return String(value);
  throw wrongValue(key, value, 'a text');
}

function truthOf(key: string, value: unknown): boolean {
  if (typeof value === 'boolean') return value;
  throw wrongValue(key, value, 'true or false');
}

function wrongValue(key: string, value: unknown, expected: string): UsageError {
  return new UsageError(`x-mender: ${key}: expected ${expected}, found ${JSON.stringify(value)}`);
}

function camelCase(key: string): string {
  return key.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
