import { readFile } from 'node:fs/promises';
import { messageOf, UsageError } from '../../errors.ts';
import { parseDotenv } from '../read/variables/dotenv.ts';
import { keyed } from '../read/merge/merge.ts';
import { namesIn } from '../read/variables/template.ts';
import type { Mapping } from '../read/yaml/value.ts';
import { mapStrings, asMapping, scalarText } from '../read/yaml/value.ts';
import type { Variables } from '../read/variables/variables.ts';

/** Every variable that Compose on the device asks its environment for: those that stay in the model's texts, ... */
export function variablesIn(model: Mapping): string[] {
  const names = new Set<string>();
  mapStrings(model, (text) => {
    if (text.includes('$')) namesIn(text).forEach((name) => names.add(name));
    return text;
  });
  return [...names];
}

/** ... those that are passed through to a container, a config or a secret, ... */
export function passedThrough(model: Mapping): string[] {
  const services = Object.values(asMapping(model['services']));
  const environments = services.flatMap((service) =>
    Object.entries(keyed(asMapping(service)['environment'])).filter(([, value]) => value === null),
  );
  const sources = ['configs', 'secrets'].flatMap((section) =>
    Object.values(asMapping(model[section])).map((entry) => scalarText(asMapping(entry)['environment'])),
  );
  return [...environments.map(([name]) => name), ...sources].filter((name) => name !== '');
}

/** ... and those that env files refer to. */
export async function variablesInEnvFiles(paths: readonly string[], variables: Variables): Promise<string[]> {
  const names = new Set<string>();
  for (const path of paths) {
    parseDotenv(await envFileText(path), path, (name) => {
      names.add(name);
      return variables.lookup(name);
    });
  }
  return [...names];
}

async function envFileText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new UsageError(`reading env file ${path}: ${messageOf(error)}`, { cause: error });
  }
}

/** A `.env` file with these variables, sorted, each value to be read back exactly. */
export function dotenvText(values: ReadonlyMap<string, string>): string {
  const lines = [...values]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}=${quoted(value)}\n`);
  return lines.join('');
}

function quoted(value: string): string {
  if (!/['\\]/.test(value)) return `'${value}'`;
  const escaped = value.replace(/[\\"]/g, '\\$&').replaceAll('\n', '\\n').replaceAll('$', '$$$$');
  return `"${escaped}"`;
}
