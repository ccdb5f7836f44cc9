import { FLAGS, reworded } from '../../errors.ts';
import type { UserError, Wording } from '../../errors.ts';
import { BAKE_OPTIONS, TARGET_SETTINGS } from './options.ts';

/**
 * Returns the error of a target with a hint for those who use `bake`: it names keys of the bake
 * file where `build` has options. The class and the message stay. Pure.
 */
export function inBakeWords(error: UserError, target: string): UserError {
  const keys: string[] = [];
  const hint = error.hintIn(keyWording((key) => keys.push(key)));
  if (hint === undefined) return error;
  const [key] = keys;
  if (key === undefined) return reworded(error, error.message, hint);
  const set = `--set ${target}.${keys.length === 1 ? key : 'KEY'}=VALUE`;
  return reworded(error, error.message, `${hint} (in target ${target}, or ${set})`);
}

/** Calls `onKey` for each option that is a key of the bake file. */
function keyWording(onKey: (key: string) => void): Wording {
  return {
    option: (name, value) => {
      if (!isKey(name)) return FLAGS.option(name, value);
      onKey(name);
      return value === undefined ? name : `${name}: ${value}`;
    },
    unset: (name) => (isKey(name) ? name : FLAGS.unset(name)),
    variable: (name) => (isKey(name) ? undefined : FLAGS.variable(name)),
    separator: ', ',
  };
}

/** Options of both are for the command line. */
function isKey(name: string): boolean {
  return Object.hasOwn(TARGET_SETTINGS, name) && !Object.hasOwn(BAKE_OPTIONS, name);
}
