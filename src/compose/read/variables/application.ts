import { basename } from 'node:path';
import { readYamlFile } from '../yaml/yamlFile.ts';
import type { Lookup } from './template.ts';
import { interpolate } from './template.ts';
import type { Environment, Variables } from './variables.ts';
import { projectVariables, withDefault } from './variables.ts';

/** The variables of the project, and `COMPOSE_PROJECT_NAME` as Compose makes it of the top-level `name` or of the folder. */
export async function applicationVariables(
  folder: string,
  paths: readonly string[],
  environment: Environment,
): Promise<Variables> {
  const variables = await projectVariables(folder, environment);
  let name = projectName(basename(folder));
  for (const path of paths) {
    for (const { contents } of (await readYamlFile(path)).documents) {
      const own: unknown = contents !== null && 'get' in contents ? contents.get('name') : undefined;
      if (typeof own === 'string') name = projectName(filled(own, variables.lookup) ?? name);
    }
  }
  return withDefault(variables, 'COMPOSE_PROJECT_NAME', name);
}

/** What Compose makes of a name. */
function projectName(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^a-z0-9_-]/g, '')
    .replace(/^[_-]+/, '');
}

/** Undefined where it can't be filled in: reading the manifest tells why, and where. */
function filled(template: string, lookup: Lookup): string | undefined {
  try {
    return interpolate(template, lookup);
  } catch {
    return undefined;
  }
}

/** The enabled profiles: those given, else what `COMPOSE_PROFILES` names. */
export function profilesOf(profiles: readonly string[], { lookup }: Variables): readonly string[] {
  return profiles.length > 0
    ? profiles
    : (lookup('COMPOSE_PROFILES') ?? '')
        .split(',')
        .map((name) => name.trim())
        .filter((name) => name !== '');
}
