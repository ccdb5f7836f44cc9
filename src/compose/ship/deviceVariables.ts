import { readUserFile } from '../../io/readUserFile.ts';
import { assignedNames, parseDotenv } from '../read/variables/dotenv.ts';
import { keyed } from '../read/merge/merge.ts';
import { namesIn } from '../read/variables/template.ts';
import type { Mapping } from '../read/yaml/value.ts';
import { mapStrings, asMapping, scalarText } from '../read/yaml/value.ts';
import type { Variables } from '../read/variables/variables.ts';

/** The variables that the model's texts still refer to. */
export function variablesIn(model: Mapping): string[] {
  const names = new Set<string>();
  mapStrings(model, (text) => {
    if (text.includes('$')) namesIn(text).forEach((name) => names.add(name));
    return text;
  });
  return [...names];
}

/** The variables that the model passes by name to a container, a config or a secret. */
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

/** An env file of a service. One of the format `raw` refers to no variables. */
export interface EnvFile {
  /** Absolute. */
  path: string;
  isRaw: boolean;
}

/**
 * Returns the variables that env files refer to. Throws UsageError for a file that can't be read or
 * parsed, and for one with a secret of the build.
 */
export async function readEnvFiles(files: readonly EnvFile[], variables: Variables): Promise<string[]> {
  const names = new Set<string>();
  for (const { path, isRaw } of files) {
    const text = await envFileText(path);
    for (const name of assignedNames(text)) variables.secrets.refuseName(name, path);
    variables.secrets.refuseText(text, path);
    if (isRaw) continue;
    const values = parseDotenv(text, path, (name) => {
      names.add(name);
      return variables.lookup(name);
    });
    for (const value of values.values()) variables.secrets.refuseText(value, path);
  }
  return [...names];
}

async function envFileText(path: string): Promise<string> {
  return (await readUserFile(path, { doing: `reading env file ${path}` })).toString('utf8');
}

/**
 * The text of a `.env` file with these variables, sorted by name. Reading it gives the same values.
 */
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
