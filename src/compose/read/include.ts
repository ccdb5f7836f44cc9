import { stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { UsageError } from '../../errors.ts';
import { rebase } from './paths.ts';
import type { Scope } from './scope.ts';
import { fill } from './scope.ts';
import type { Mapping, Value } from './yaml/value.ts';
import { isMapping, asList, asMapping, scalarText, withoutTags } from './yaml/value.ts';
import { includeVariables } from './variables/variables.ts';

type Load = (paths: readonly string[], scope: Scope) => Promise<{ model: Mapping }>;

const SECTIONS = ['services', 'networks', 'volumes', 'configs', 'secrets'];

/**
 * Adds everything that the model includes. Returns the same object if it includes nothing.
 * Variables of an included file are filled in: from the outer variables, then from the `.env` of
 * its folder. Throws UsageError if two files define one name differently.
 * https://github.com/compose-spec/compose-spec/blob/main/14-include.md
 */
export async function applyIncludes(model: Mapping, scope: Scope, load: Load): Promise<Mapping> {
  const { include, ...rest } = model;
  if (include === undefined) return model;
  if (include !== null && !Array.isArray(include)) throw new UsageError('include must be a list');
  let whole: Mapping = rest;
  for (const entry of asList(include)) {
    whole = imported(whole, await includedModel(entry, scope, load));
  }
  return whole;
}

async function includedModel(entry: Value, outer: Scope, load: Load): Promise<Mapping> {
  const text = (value: Value | undefined) => fill(outer, scalarText(value));
  const long = isMapping(entry) ? entry : { path: entry };
  const paths = asList(long['path']).map((path) => resolve(outer.folder, text(path)));
  const [first] = paths;
  if (first === undefined) throw new UsageError('an include has no path');
  const chosen = text(long['project_directory']);
  const folder = chosen === '' ? dirname(first) : resolve(outer.folder, chosen);
  const named = asList(long['env_file']).map((path) => resolve(outer.folder, text(path)));
  const envFiles = named.length > 0 ? named : await dotenvIn(folder);
  const variables = await includeVariables(outer.variables, envFiles);
  const { model } = await load(paths, { ...outer, folder, variables, keepsVariables: false });
  return rebase(
    withPassedThrough(asMapping(withoutTags(model)), outer, variables.lookup),
    folder,
    outer.folder,
  );
}

async function dotenvIn(folder: string): Promise<string[]> {
  const path = join(folder, '.env');
  const isFile = await stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
  return isFile ? [path] : [];
}

/** Gives names without value in `environment` the values that only the include's env file has. */
function withPassedThrough(
  model: Mapping,
  outer: Scope,
  lookup: (name: string) => string | undefined,
): Mapping {
  const givenValue = (name: string, value: Value): Value => {
    const given = value === null && outer.variables.lookup(name) === undefined ? lookup(name) : undefined;
    return given === undefined ? value : given.replaceAll('$', '$$$$');
  };
  const services = Object.entries(asMapping(model['services'])).map(([name, service]): [string, Value] => {
    const { environment, ...rest } = asMapping(service);
    if (environment === undefined) return [name, service];
    return [name, { ...rest, environment: passedThrough(environment, givenValue) }];
  });
  return { ...model, services: Object.fromEntries(services) };
}

function passedThrough(environment: Value, givenValue: (name: string, value: Value) => Value): Value {
  if (Array.isArray(environment)) {
    return environment.map((item) => {
      const value = scalarText(item).includes('=') ? null : givenValue(scalarText(item), null);
      return value === null ? item : `${scalarText(item)}=${scalarText(value)}`;
    });
  }
  const entries = Object.entries(asMapping(environment));
  return Object.fromEntries(entries.map(([name, value]) => [name, givenValue(name, value)]));
}

function imported(model: Mapping, other: Mapping): Mapping {
  const whole: Mapping = { ...model };
  for (const section of SECTIONS) {
    if (other[section] === undefined) continue;
    const known = asMapping(model[section]);
    for (const [name, entry] of Object.entries(asMapping(other[section]))) {
      if (Object.hasOwn(known, name) && !isDeepStrictEqual(known[name], entry))
        throw new UsageError(`${section}.${name} conflicts with an included one`, {
          hint: 'rename one of them, or override it in another Compose file',
        });
    }
    whole[section] = { ...known, ...asMapping(other[section]) };
  }
  return whole;
}
