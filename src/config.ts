import type { Environment } from './environment.ts';
import { closest, didYouMean, oneOf } from './io/suggest.ts';
import type { Option, OptionTable } from './commands/terminal/command.ts';
import { VARIABLE_PREFIX, flagName, variableName } from './commands/terminal/command.ts';
import { meansTrue } from './commands/terminal/home.ts';
import { UsageError } from './errors.ts';

/**
 * The values that the environment gives to a command's options, with names in camel case:
 * `MENDER_DOCKER_DELTA_DEVICE_TYPE=a,b` is `--device-type a --device-type b`. Variables of other
 * commands' options are left alone. Throws UsageError for an invalid value.
 */
export function environmentOptions(environment: Environment, table: OptionTable): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const [name, option] of Object.entries(table)) {
    const variable = variableName(name);
    const text = environment[variable];
    if (text !== undefined && text !== '') values[flagName(name)] = valueOf(text, variable, option);
  }
  return values;
}

/**
 * A sentence about each variable of the tool that no option of `tables` has, with the one that was
 * probably meant.
 */
export function unknownVariables(environment: Environment, tables: readonly OptionTable[]): string[] {
  const known = tables.flatMap((table) => Object.keys(table).map(variableName));
  const unknown = Object.keys(environment).filter(
    (name) => name.startsWith(VARIABLE_PREFIX) && !known.includes(name),
  );
  return unknown.map((name) => {
    // Without the prefix, which every name has: it would hide how different two short names are.
    const near = closest(ownPart(name), known.map(ownPart));
    const advice = near === undefined ? '' : `, did you mean ${VARIABLE_PREFIX}${near}?`;
    return `${name} is ignored: there is no such setting${advice}`;
  });
}

function ownPart(variable: string): string {
  return variable.slice(VARIABLE_PREFIX.length);
}

function valueOf(text: string, variable: string, { type, array, separator, choices }: Option): unknown {
  if (type === 'boolean') return truthOf(text, variable);
  if (type === 'number') return numberOf(text, variable);
  if (array === true) return partsOf(text, separator ?? ',');
  if (choices === undefined || choices.includes(text)) return text;
  throw new UsageError(`${variable}: expected ${oneOf(choices)}, found ${JSON.stringify(text)}`, {
    hint: didYouMean(text, choices) ?? 'set it to one of them, or unset it',
  });
}

function partsOf(text: string, separator: string): string[] {
  const parts = text.split(separator).map((part) => part.trim());
  return parts.filter((part) => part !== '');
}

function truthOf(text: string, variable: string): boolean {
  if (meansTrue(text)) return true;
  if (/^(0|false|no|off)$/i.test(text)) return false;
  throw new UsageError(`${variable}: ${JSON.stringify(text)} is not true or false`, {
    hint: 'set it to true or false, or unset it',
  });
}

function numberOf(text: string, variable: string): number {
  const value = Number(text);
  // Number() takes blanks as 0.
  if (text.trim() !== '' && Number.isFinite(value)) return value;
  throw new UsageError(`${variable}: ${JSON.stringify(text)} is not a number`, {
    hint: 'set it to a number, or unset it',
  });
}
