import { basename } from 'node:path';
import type { Environment } from '../../../environment.ts';
import { UsageError } from '../../../errors.ts';
import { readComposeYaml } from '../yaml/yamlFile.ts';
import type { Lookup } from './template.ts';
import { interpolate } from './template.ts';
import type { NamedSecret } from './ownSecrets.ts';
import type { Variables } from './variables.ts';
import { projectVariables, withDefault } from './variables.ts';

/**
 * The variables of the project. `COMPOSE_PROJECT_NAME` defaults to the top-level `name`, then to
 * the name of the folder, both normalized as Compose does. Throws UsageError and NotFoundError.
 */
export async function applicationVariables(
  folder: string,
  paths: readonly string[],
  environment: Environment,
  secrets: readonly NamedSecret[] = [],
): Promise<Variables> {
  const variables = await projectVariables(folder, environment, secrets);
  const chosen = variables.lookup('COMPOSE_PROJECT_NAME') ?? '';
  if (chosen !== projectName(chosen)) {
    throw new UsageError(`COMPOSE_PROJECT_NAME is ${JSON.stringify(chosen)}, which is not a project name`, {
      hint: 'use lower case letters, digits, - and _, and start with a letter or digit',
    });
  }
  let name = projectName(basename(folder));
  for (const path of paths) {
    for (const { contents } of (await readComposeYaml(path)).documents) {
      const own: unknown = contents !== null && 'get' in contents ? contents.get('name') : undefined;
      if (typeof own === 'string') name = projectName(filled(own, variables.lookup) ?? name);
    }
  }
  return withDefault(variables, 'COMPOSE_PROJECT_NAME', name);
}

/** Normalizes a project name as Compose does; empty if nothing is left. */
export function projectName(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^a-z0-9_-]/g, '')
    .replace(/^[_-]+/, '');
}

/** Undefined if the template is invalid: reading the file reports it with its position. */
function filled(template: string, lookup: Lookup): string | undefined {
  try {
    return interpolate(template, lookup);
  } catch {
    return undefined;
  }
}

/** The enabled profiles: `profiles`, or those in `COMPOSE_PROFILES` if there are none. */
export function profilesOf(profiles: readonly string[], { lookup }: Variables): readonly string[] {
  return profiles.length > 0
    ? profiles
    : (lookup('COMPOSE_PROFILES') ?? '')
        .split(',')
        .map((name) => name.trim())
        .filter((name) => name !== '');
}
