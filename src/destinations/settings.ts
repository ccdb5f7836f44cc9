import { UsageError } from '../errors.ts';
import type { FieldRules, JsonObject, Problem } from './fieldRules.ts';
import { below, checkFields, unexpected } from './fieldRules.ts';
import { problemText } from './readMap.ts';

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

const META_FIELDS: FieldRules = {
  force_installation: { kind: 'truth' },
  retries: { kind: 'whole' },
  description: { kind: 'text' },
  artifact_name: { kind: 'text' },
};

/** What is wrong with the fields of a meta that mean something here; all others are let be. */
export function checkMeta(meta: JsonObject, path: string): Problem[] {
  const phases = meta['phases'] ?? [];
  return [
    ...checkFields(meta, path, META_FIELDS),
    ...(Array.isArray(phases) ? [] : [unexpected(below(path, 'phases'), 'a list', phases)]),
  ];
}

/** The settings of a meta. Throws UsageError for a field of the wrong type. */
export function settingsOf(meta: JsonObject | null, path: string): DeploySettings {
  const [problem] = checkMeta(meta ?? {}, path);
  if (problem !== undefined) throw new UsageError(problemText(problem, ''));
  const { force_installation: force, retries, phases, description } = meta ?? {};
  const count = typeof retries === 'boolean' ? Number(retries) : retries;
  return withoutNulls({ force, retries: count, phases, description });
}

/** `own`, and what it leaves open from `more`. */
export function fillSettings<T extends object>(own: T, more: Readonly<Partial<T>>): T {
  return { ...more, ...withoutNulls(own) } as T;
}

function withoutNulls(value: object): object {
  return Object.fromEntries(Object.entries(value).filter(([, one]) => one !== null && one !== undefined));
}

/**
 * The artifact name that `meta.artifact_name` makes: `{name}`, `{version}` and `{architecture}` stand for the artifact's
 * own. Undefined where the meta names none; throws UsageError for other braces, and for what can't be a name.
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
