import { UsageError } from '../errors.ts';
import { hintFor } from './hintFor.ts';
import type { BakeFile, ResolvedTarget } from './model.ts';

/** One `--set PATTERN.KEY=VALUE`. */
export interface Override {
  /** As it was written, for messages. */
  text: string;
  /** Name of a target; `*` is any text. */
  pattern: string;
  /** Name of a setting, or `variables.NAME`. */
  key: string;
  value: string;
}

/** Parses `PATTERN.KEY=VALUE`. Throws UsageError for another form. Pure. */
export function parseOverride(text: string): Override {
  const [, pattern, key, value] = /^([^=]+?)\.((?:variables\.)?[^.=]+)=(.*)$/s.exec(text) ?? [];
  if (pattern !== undefined && key !== undefined && value !== undefined) return { text, pattern, key, value };
  throw new UsageError(`--set ${JSON.stringify(text)}: expected TARGET.KEY=VALUE`, {
    hint: "write it like --set shop.effort=fast, or --set '*.artifact-version=1.2.0'",
  });
}

/**
 * Throws UsageError for an override that fits no target of the file, which most likely is a
 * misspelling. Pure.
 */
export function requireTargets(overrides: readonly Override[], { path, targets }: BakeFile): void {
  const names = [...targets.keys()];
  for (const { text, pattern } of overrides) {
    if (names.some((name) => fits(name, pattern))) continue;
    throw new UsageError(`--set ${text}: ${path} has no target ${pattern}`, {
      hint: hintFor(pattern, names),
    });
  }
}

/**
 * Returns the target with the overrides that name it, which replace what the file says. Several
 * values for a list make the list; else the last one counts. Pure.
 */
export function override(
  target: ResolvedTarget,
  overrides: readonly Override[],
  isList: (key: string) => boolean,
): ResolvedTarget {
  const own = overrides.filter(({ pattern }) => fits(target.name, pattern));
  const values = new Map<string, string[]>();
  for (const { key, value } of own) values.set(key, [...(values.get(key) ?? []), value]);
  const variables = new Map(Object.entries(target.variables));
  const settings = new Map(Object.entries(target.settings));
  for (const [key, given] of values) {
    const variable = /^variables\.(.+)$/s.exec(key)?.[1];
    const [last = ''] = given.slice(-1);
    if (variable === undefined) settings.set(key, isList(key) ? given : last);
    else variables.set(variable, last);
  }
  return {
    ...target,
    variables: Object.fromEntries(variables),
    settings: Object.fromEntries(settings),
  };
}

/**
 * Returns the target without the settings that overrides replace: what the file alone says. Pure.
 */
export function withoutOverridden(target: ResolvedTarget, overrides: readonly Override[]): ResolvedTarget {
  const keys = new Set(overrides.filter(({ pattern }) => fits(target.name, pattern)).map(({ key }) => key));
  const left = Object.entries(target.settings).filter(([key]) => !keys.has(key));
  return { ...target, settings: Object.fromEntries(left) };
}

function fits(name: string, pattern: string): boolean {
  const parts = pattern.split('*').map((part) => part.replace(/[\\^$.|?+()[\]{}]/g, '\\$&'));
  return new RegExp(`^${parts.join('[^]*')}$`).test(name);
}
