import { UsageError } from '../errors.ts';
import { hintFor } from './hintFor.ts';
import type { BakeFile, BakeTarget, ResolvedTarget } from './model.ts';
import { MOST_LEVELS, levelsAbove, tooDeep } from './tooDeep.ts';

/**
 * Returns all targets of the file, in its order, with what they inherit. A target's own settings win
 * over those of its parents, and a later parent over an earlier one. A list replaces a list;
 * variables are joined. Throws UsageError for a parent that does not exist, for a cycle, and for
 * more than 100 levels. Pure.
 */
export function inheritAll(file: BakeFile): ResolvedTarget[] {
  const known = new Map<string, Parts>();
  return [...file.targets.keys()].map((name) => {
    const { settings, variables } = partsOf(name, file, [], known);
    return { name, settings, variables };
  });
}

/** A target with what it inherits, and through how many levels it does. */
interface Parts extends Omit<ResolvedTarget, 'name'> {
  levels: number;
}

/** `path`: the heirs. `known`: the parts of targets, because many may inherit from one. */
function partsOf(name: string, file: BakeFile, path: readonly string[], known: Map<string, Parts>): Parts {
  const found = known.get(name);
  if (found !== undefined) return found;
  const parts = joinedParts(name, file, path, known);
  known.set(name, parts);
  return parts;
}

function joinedParts(
  name: string,
  file: BakeFile,
  path: readonly string[],
  known: Map<string, Parts>,
): Parts {
  if (path.includes(name)) {
    throw new UsageError(`${file.path}: targets inherit from each other: ${[...path, name].join(', ')}`, {
      hint: 'remove inherits from one of them',
    });
  }
  const target = targetOf(name, file, path);
  requireShallow(path.length, path[0] ?? name, file);
  const parents = target.inherits.map((parent) => partsOf(parent, file, [...path, name], known));
  const levels = levelsAbove(parents.map((parent) => parent.levels));
  requireShallow(levels, name, file);
  const all = [...parents, target];
  return {
    variables: joined(all.map(({ variables }) => variables)),
    settings: joined(all.map(({ settings }) => settings)),
    levels,
  };
}

function requireShallow(levels: number, name: string, file: BakeFile): void {
  if (levels > MOST_LEVELS) throw tooDeep(file, `target ${name}: it inherits`);
}

/** Later values win. `Object.assign` would lose the key `__proto__`. */
function joined<Value>(all: readonly Readonly<Record<string, Value>>[]): Record<string, Value> {
  return Object.fromEntries(all.flatMap((one) => Object.entries(one)));
}

function targetOf(name: string, { path: file, targets }: BakeFile, path: readonly string[]): BakeTarget {
  const target = targets.get(name);
  if (target !== undefined) return target;
  const heir = path.at(-1);
  const place = heir === undefined ? file : `${file}: target ${heir}`;
  throw new UsageError(`${place}: there is no target ${JSON.stringify(name)}`, {
    hint: hintFor(name, [...targets.keys()]),
  });
}
