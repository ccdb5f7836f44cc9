import { dirname, resolve } from 'node:path';
import type { Chosen } from '../../bake/chooseTargets.ts';
import { checkGroups, chooseTargets } from '../../bake/chooseTargets.ts';
import { inheritAll } from '../../bake/inherit.ts';
import type { BakeFile, ResolvedTarget } from '../../bake/model.ts';
import { override, parseOverride, requireTargets, withoutOverridden } from '../../bake/override.ts';
import type { Override } from '../../bake/override.ts';
import { readBakeFile } from '../../bake/readBakeFile.ts';
import { isSecretVariable } from '../../compose/read/variables/ownSecrets.ts';
import { UsageError, reworded } from '../../errors.ts';
import { settingValue } from '../options/settings.ts';
import type { Context } from '../terminal/command.ts';
import { variableName } from '../terminal/command.ts';
import type { BakeFlags } from './options.ts';
import { BAKE_OPTIONS, TARGET_SETTINGS } from './options.ts';
import { refuseOutside } from './refuseOutside.ts';

/** A bake file, and what a command line takes of it. */
export interface BakePlan {
  file: BakeFile;
  /** The folder in which the paths of the file begin, absolute. */
  folder: string;
  /** The targets that are built, with all that they inherit, and with the settings of `--set`. */
  targets: Map<string, ResolvedTarget>;
  chosen: Chosen[];
}

/**
 * Reads the bake file and decides what is built. Throws NotFoundError if there is no such file, and
 * UsageError for everything in it that is wrong, also in targets that are not built.
 */
export async function readTargets(flags: BakeFlags, context: Context): Promise<BakePlan> {
  warnOfVariables(context);
  const file = await withPage(() => readBakeFile(resolve(context.folder, flags.file ?? '.')));
  const overrides = (flags.set ?? []).map(parseOverride);
  requireTargets(overrides, file);
  overrides.forEach(checkOverride);
  const inherited = await withPage(() => inheritChecked(file, overrides));
  const all = inherited.map((target) => override(target, overrides, isList));
  for (const { name, variables } of all)
    refuseVariables(Object.keys(variables), `${file.path}: target ${name}`);
  const chosen = chooseTargets(flags.target ?? [], file);
  const names = new Set(chosen.map(({ target }) => target));
  const wanted = all.filter(({ name }) => names.has(name));
  return {
    file,
    folder: dirname(file.path),
    targets: new Map(wanted.map((target) => [target.name, target])),
    chosen,
  };
}

/** Returns the targets with what they inherit. Throws for what the file itself says wrong. */
async function inheritChecked(file: BakeFile, overrides: readonly Override[]): Promise<ResolvedTarget[]> {
  const inherited = inheritAll(file);
  const ofFile = inherited.map((target) => withoutOverridden(target, overrides));
  await refuseOutside(ofFile, file.path);
  for (const { name, settings } of ofFile)
    for (const [key, value] of Object.entries(settings))
      readSetting(`${file.path}: target ${name}`, key, value);
  checkGroups(file);
  return inherited;
}

/** Lets errors in the file say where to read about it: the help of the command does not show it. */
async function withPage<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof UsageError) || error.hint !== undefined) throw error;
    throw reworded(error, error.message, 'docs/bake.md shows what a bake file holds');
  }
}

function isList(key: string): boolean {
  return Object.hasOwn(TARGET_SETTINGS, key) && TARGET_SETTINGS[key]?.array === true;
}

/** Variables with which Compose chooses files, and the key that does so. */
const KEYS_FOR_FILES: Readonly<Record<string, string>> = {
  COMPOSE_ENV_FILES: 'env-file',
  COMPOSE_FILE: 'manifest',
  COMPOSE_PATH_SEPARATOR: 'manifest',
};

/**
 * Throws UsageError for a variable that a target can't replace. With another value for a secret,
 * the build would not find the real value in what ships. Keys of the target name files.
 */
function refuseVariables(names: readonly string[], where: string): void {
  const naming = names.find((name) => Object.hasOwn(KEYS_FOR_FILES, name));
  if (naming !== undefined) {
    throw new UsageError(`${where}: variables: ${naming} chooses files`, {
      hint: `use the key ${KEYS_FOR_FILES[naming] ?? ''}`,
    });
  }
  const secret = names.find(isSecretVariable);
  if (secret === undefined) return;
  throw new UsageError(
    `${where}: variables: ${secret} is a secret of the build, and a target can't replace it`,
    {
      hint: 'remove it, and use a variable of another name for a secret that the application needs',
    },
  );
}

/** Throws UsageError that names the override if no target can have its value. */
function checkOverride({ text, key, value }: Override): void {
  if (key.startsWith('variables.')) return;
  const where = `--set ${text}`;
  if (key === 'variables') {
    throw new UsageError(`${where}: expected the name of a variable`, {
      hint: 'write it like --set shop.variables.NAME=VALUE',
    });
  }
  if (key === 'inherits') {
    throw new UsageError(`${where}: only the bake file says what a target inherits`, {
      hint: 'set the inherited values themselves, like --set shop.effort=fast',
    });
  }
  readSetting(where, key, value, ['variables.NAME']);
}

/**
 * Returns the value of a setting of a target as the option of its name has it. `others`: what else
 * may be set there. Throws UsageError, which begins with `where`.
 */
export function readSetting(
  where: string,
  key: string,
  value: unknown,
  others: readonly string[] = ['inherits', 'variables'],
): unknown {
  if (Object.hasOwn(BAKE_OPTIONS, key) && !Object.hasOwn(TARGET_SETTINGS, key)) {
    throw new UsageError(`${where}: ${key} is for the command line, and not for a target`, {
      hint: `remove it, and add --${key} to the command line if you want it`,
    });
  }
  return settingValue(where, key, truthOf(key, value), TARGET_SETTINGS, others);
}

/** `--set` has only texts. */
function truthOf(key: string, value: unknown): unknown {
  const isTruth = Object.hasOwn(TARGET_SETTINGS, key) && TARGET_SETTINGS[key]?.type === 'boolean';
  return isTruth && (value === 'true' || value === 'false') ? value === 'true' : value;
}

/** Variables of options that only targets have do not count: one value can't be for all of them. */
function warnOfVariables({ environment, log }: Context): void {
  for (const key of Object.keys(TARGET_SETTINGS)) {
    const variable = variableName(key);
    if (Object.hasOwn(BAKE_OPTIONS, key) || (environment[variable] ?? '') === '') continue;
    log.warning(
      `${variable} does not count for bake: targets differ. For all of them: --set '*.${key}=VALUE'`,
    );
  }
}
