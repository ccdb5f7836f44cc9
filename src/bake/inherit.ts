import { UsageError } from '../errors.ts';
import { hintFor } from './hintFor.ts';
import type { BakeFile, BakeTarget, ResolvedTarget } from './model.ts';
import { MOST_LEVELS, levelsAbove, tooDeep } from './tooDeep.ts';

/** Names in `inherits` of one target. */
const MOST_PARENTS = 100;
/** Over all targets: some KB of text can hand the same variables to very many targets. */
const MOST_VARIABLES = 1_000_000;

/**
 * Returns all targets of the file, in its order, with what they inherit. A target's own settings
 * win over those of its parents, and a later parent over an earlier one. A list replaces a list;
 * variables are joined. Throws UsageError for a parent that does not exist, for a cycle, for more
 * than 100 levels or parents of a target, and for more than 1000000 variables. Pure.
 */
export function inheritAll(file: BakeFile): ResolvedTarget[] {
  const walk: Walk = { file, known: new Map(), variables: 0 };
  return [...file.targets.keys()].map((name) => {
    const { settings, variables } = partsOf(name, walk, []);
    return { name, settings, variables };
  });
}

/** A target with what it inherits, and through how many levels it does. */
interface Parts extends Omit<ResolvedTarget, 'name'> {
  levels: number;
}

interface Walk {
  file: BakeFile;
  /** The parts of targets that are done, because many may inherit from one. */
  known: Map<string, Parts>;
  /** How many variables they hold together. */
  variables: number;
}

/** `path`: the heirs. */
function partsOf(name: string, walk: Walk, path: readonly string[]): Parts {
  const found = walk.known.get(name);
  if (found !== undefined) return found;
  const parts = joinedParts(name, walk, path);
  walk.known.set(name, parts);
  walk.variables += Object.keys(parts.variables).length;
  if (walk.variables <= MOST_VARIABLES) return parts;
  throw new UsageError(`${walk.file.path}: the targets have more than ${MOST_VARIABLES} variables together`, {
    hint: 'let fewer targets inherit so many variables',
  });
}

function joinedParts(name: string, walk: Walk, path: readonly string[]): Parts {
  const { file } = walk;
  if (path.includes(name)) {
    throw new UsageError(`${file.path}: targets inherit from each other: ${[...path, name].join(', ')}`, {
      hint: 'remove inherits from one of them',
    });
  }
  const target = targetOf(name, file, path);
  requireShallow(path.length, path[0] ?? name, file);
  const { inherits } = target;
  requireFewParents(inherits, name, file);
  const parents = inherits.map((parent) => partsOf(parent, walk, [...path, name]));
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

function requireFewParents(inherits: readonly string[], name: string, { path }: BakeFile): void {
  if (inherits.length <= MOST_PARENTS) return;
  throw new UsageError(
    `${path}: target ${name}: it inherits from ${inherits.length} targets, more than ${MOST_PARENTS}`,
  );
}

/** Later values win. `Object.assign` would lose the key `__proto__`. */
function joined<Value>(all: readonly Readonly<Record<string, Value>>[]): Record<string, Value> {
  const values = new Map<string, Value>();
  for (const one of all) for (const [key, value] of Object.entries(one)) values.set(key, value);
  return Object.fromEntries(values);
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
