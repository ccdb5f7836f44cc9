import { array, boolean, nullish, object, parse, string, unknown } from 'valibot';
import { UsageError } from '../errors.ts';
import type { JsonObject, Problem } from './problems.ts';
import { below, expected, problemText, schemaProblems } from './problems.ts';
import { whole } from './schemas.ts';

/** What the meta of a destination, or the command line, says about an upload and a deployment. */
export interface DeploySettings {
  force?: boolean | undefined;
  /** Enterprise servers only, as `phases`. */
  retries?: number | undefined;
  phases?: readonly unknown[] | undefined;
  description?: string | undefined;
  /** From the command line only. */
  updateControlMap?: Readonly<Record<string, unknown>> | undefined;
}

const metaSchema = object({
  force_installation: nullish(boolean(expected('true or false'))),
  retries: nullish(whole),
  description: nullish(string(expected('a text'))),
  artifact_name: nullish(string(expected('a text'))),
  phases: nullish(array(unknown(), expected('a list'))),
});

/** The problems of the fields of a meta that have an effect here. Other fields are ignored. */
export function checkMeta(meta: JsonObject, path: string): Problem[] {
  return schemaProblems(metaSchema, meta).map((one) => ({ ...one, path: below(path, one.path) }));
}

/** The settings of a meta. Throws UsageError for a field of the wrong type. */
export function settingsOf(meta: JsonObject | null, path: string): DeploySettings {
  const [problem] = checkMeta(meta ?? {}, path);
  if (problem !== undefined) throw new UsageError(problemText(problem, ''));
  const value = parse(metaSchema, meta ?? {});
  const { force_installation: force, retries, phases, description } = value;
  return withoutNulls({ force, retries, phases, description });
}

/** `own`, with missing values filled in from `more`. */
export function fillSettings<T extends object>(own: T, more: Readonly<Partial<T>>): T {
  return { ...more, ...withoutNulls(own) } as T;
}

function withoutNulls(value: object): object {
  return Object.fromEntries(Object.entries(value).filter(([, one]) => one !== null && one !== undefined));
}

/**
 * The artifact name of `meta.artifact_name`, with `{name}`, `{version}` and `{architecture}` filled
 * in. Undefined if the meta has none. Throws UsageError for other braces and for an invalid name.
 */
export function artifactNameOf(
  meta: JsonObject | null,
  values: Readonly<Record<'name' | 'version' | 'architecture', string>>,
): string | undefined {
  const template = meta?.['artifact_name'];
  if (typeof template !== 'string') return undefined;
  const known: Readonly<Record<string, string>> = values;
  const name = template.replace(/\{(name|version|architecture)\}/g, (_, key: string) => known[key] ?? '');
  // The name is a file's name as well.
  if (/^[\x21-\x7e]+$/.test(name) && !/[/\\{}]/.test(name)) return name;
  throw new UsageError(`meta.artifact_name ${JSON.stringify(template)} makes no artifact name`, {
    hint: 'use {name}, {version} and {architecture}, and no spaces or slashes',
  });
}
