import type { GenericSchema } from 'valibot';
import { array, boolean, custom, number, optional, picklist, string } from 'valibot';
import { BUILD_OPTIONS, BUILD_POSITIONALS } from '../commands/options/build.ts';

/** The building blocks of the options' schemas. A message follows the word "expected". */
export const text = string('a string');
export const texts = array(text, 'an array of strings');
export const flag = boolean('a boolean');
export const amount = number('a number');

/** An object with these methods, as a log of the caller. */
export function withMethods(...names: readonly string[]): GenericSchema {
  const isIt = (value: unknown): boolean =>
    typeof value === 'object' &&
    value !== null &&
    names.every((name) => typeof (value as Record<string, unknown>)[name] === 'function');
  return custom(isIt, `an object with ${names.join(', ')}`);
}

interface Row {
  type?: string;
  array?: boolean;
  choices?: readonly unknown[];
}

const ROWS: Readonly<Record<string, Row>> = { ...BUILD_POSITIONALS, ...BUILD_OPTIONS };

/**
 * The type and the choices that the option of the command line has, as `device-type`. It may be
 * missing.
 */
export function optionOf(name: string): GenericSchema {
  const row = ROWS[name];
  if (row === undefined) throw new Error(`build has no option --${name}`);
  const { type, array: isList = false, choices } = row;
  if (choices !== undefined) return optional(picklist(choices as string[], `one of ${choices.join(', ')}`));
  if (isList) return optional(texts);
  return optional(type === 'boolean' ? flag : text);
}
