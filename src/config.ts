import type { Options } from 'yargs';
import { UsageError } from './errors.ts';

const ENVIRONMENT_PREFIX = 'MENDER_DOCKER_DELTA_';

type OptionTypes = Readonly<Record<string, Pick<Options, 'type' | 'array'>>>;

/**
 * The values that the environment gives to a command's options:
 * `MENDER_DOCKER_DELTA_DEVICE_TYPE=a,b` is `--device-type a --device-type b`. Variables of other
 * commands' options are left alone. Throws UsageError for a invalid boolean or number.
 */
export function environmentOptions(
  environment: Readonly<Record<string, string | undefined>>,
  types: OptionTypes,
): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const [name, { type, array }] of Object.entries(types)) {
    const variable = ENVIRONMENT_PREFIX + name.toUpperCase().replaceAll('-', '_');
    const text = environment[variable];
    if (text !== undefined && text !== '') values[name] = valueOf(text, variable, type, array === true);
  }
  return values;
}

function valueOf(text: string, variable: string, type: Options['type'], array: boolean): unknown {
  if (type === 'boolean') return truthOf(text, variable);
  if (type === 'number') return numberOf(text, variable);
  return array ? partsOf(text) : text;
}

function partsOf(text: string): string[] {
  const parts = text.split(',').map((part) => part.trim());
  return parts.filter((part) => part !== '');
}

function truthOf(text: string, variable: string): boolean {
  if (/^(1|true|yes|on)$/i.test(text)) return true;
  if (/^(0|false|no|off)$/i.test(text)) return false;
  throw new UsageError(`${variable}: ${JSON.stringify(text)} is not true or false`);
}

function numberOf(text: string, variable: string): number {
  const value = Number(text);
  if (Number.isFinite(value)) return value;
  throw new UsageError(`${variable}: ${JSON.stringify(text)} is not a number`);
}

/**
 * Throws UsageError for an option that takes one value and was given several, for an invalid
 * number, and for a boolean value other than true and false. `parsed` has camel-case keys.
 */
export function refuseWrongValues(
  parsed: Readonly<Record<string, unknown>>,
  types: OptionTypes,
  argv: readonly string[],
): void {
  for (const [name, { array }] of Object.entries(types)) {
    const value = parsed[name.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase())];
    if (array !== true && Array.isArray(value)) {
      throw new UsageError(`--${name} was given more than once`, { hint: 'it takes one value' });
    }
    if (Number.isNaN(value)) throw new UsageError(`--${name}: expected a number`, { hint: SEE_HELP });
  }
  refuseOtherTruths(types, argv);
}

/** yargs reads whatever is not `true` as false: here the command line itself is looked at. */
function refuseOtherTruths(types: OptionTypes, argv: readonly string[]): void {
  for (const text of argv) {
    if (text === '--') return;
    const [, name = '', value = ''] = /^--([^=]+)=(.*)$/s.exec(text) ?? [];
    if (types[name]?.type === 'boolean' && value !== 'true' && value !== 'false') {
      throw new UsageError(`--${name}=${value}: expected true or false`, {
        hint: `write --${name} or --no-${name}`,
      });
    }
  }
}

const SEE_HELP = 'see mender-docker-delta --help';

/** Turns an error of yargs into a UsageError of one line. Returns other errors unchanged. */
export function commandLineError(message: string | null, error: Error | undefined): Error {
  if (error !== undefined && error.name !== 'YError') return error;
  const text = error?.message ?? message ?? 'invalid command line';
  return new UsageError(text.trim().replace(/\s*\n\s*/g, ' '), { hint: SEE_HELP });
}
