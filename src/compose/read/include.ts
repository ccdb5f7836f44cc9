import { dirname, join, resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { UsageError } from '../../errors.ts';
import { isFile } from '../../io/files.ts';
import { checkModel } from './check/model.ts';
import { rebase } from './paths.ts';
import { refuseRemote } from './remote.ts';
import type { Scope } from './scope.ts';
import { withGivenValues } from './includedValues.ts';
import { fill, quietly } from './scope.ts';
import type { Mapping, Value } from './yaml/value.ts';
import { asList, asMapping, isMapping, mapStrings, scalarText, withoutTags } from './yaml/value.ts';
import { includeVariables } from './variables/variables.ts';

type Load = (paths: readonly string[], scope: Scope) => Promise<{ model: Mapping }>;

const SECTIONS = ['services', 'networks', 'volumes', 'configs', 'secrets', 'models'];

/**
 * Adds everything that the model includes. Returns the same object if it includes nothing.
 * Variables of an included file are filled in: from the outer variables, then from the `.env` of
 * its folder. Throws UsageError if two files define one name differently.
 * https://github.com/compose-spec/compose-spec/blob/main/14-include.md
 */
export async function applyIncludes(model: Mapping, scope: Scope, load: Load): Promise<Mapping> {
  if (model['include'] === undefined) return model;
  const { include: wanted, ...rest } = model;
  const include = withoutTags(wanted);
  if (include !== null && !Array.isArray(include)) throw new UsageError('include must be a list');
  let whole: Mapping = rest;
  for (const entry of asList(include)) {
    whole = imported(whole, await includedModel(entry, scope, load), quietly(scope.variables.lookup));
  }
  return whole;
}

async function includedModel(entry: Value, outer: Scope, load: Load): Promise<Mapping> {
  const text = (value: Value | undefined) => fill(outer, scalarText(value));
  const long = isMapping(entry) ? entry : { path: entry };
  const names = asList(long['path']).map(text);
  names.forEach((name) => {
    refuseRemote(name, 'include');
  });
  const paths = names.map((name) => resolve(outer.folder, name));
  const [first] = paths;
  if (first === undefined) throw new UsageError('an include has no path');
  const chosen = text(long['project_directory']);
  const folder = chosen === '' ? dirname(first) : resolve(outer.folder, chosen);
  const named = asList(long['env_file']).map((path) => resolve(outer.folder, text(path)));
  const envFiles = named.length > 0 ? named : await dotenvIn(folder);
  const variables = await includeVariables(outer.variables, envFiles);
  const { model } = await load(paths, { ...outer, folder, variables, keepsVariables: false });
  const whole = asMapping(withoutTags(model));
  checkModel(asMapping(mapStrings(whole, (one) => one.replaceAll('$$', '$'))), { paths });
  const given = withGivenValues(whole, first, outer, variables);
  return rebase(given, folder, outer.folder);
}

async function dotenvIn(folder: string): Promise<string[]> {
  const path = join(folder, '.env');
  return (await isFile(path)) ? [path] : [];
}

function imported(model: Mapping, other: Mapping, fillQuietly: (text: string) => string): Mapping {
  const filled = (value: Value | undefined) => mapStrings(value ?? null, fillQuietly);
  const whole: Mapping = { ...model };
  for (const section of SECTIONS) {
    if (other[section] === undefined) continue;
    const known = asMapping(model[section]);
    for (const [name, entry] of Object.entries(asMapping(other[section]))) {
      if (Object.hasOwn(known, name) && !isDeepStrictEqual(filled(known[name]), filled(entry)))
        throw new UsageError(`${section}.${name} conflicts with an included one`, {
          hint: 'rename one of them, or override it in another Compose file',
        });
    }
    whole[section] = { ...known, ...asMapping(other[section]) };
  }
  return whole;
}
