import { UsageError } from '../errors.ts';
import { hintFor } from './hintFor.ts';
import type { BakeFile, BakeTarget, ResolvedTarget } from './model.ts';
import { MOST_LEVELS, tooDeep } from './tooDeep.ts';

/**
 * Returns a target of the file with what it inherits. Its own settings win over those of its
 * parents, and a later parent over an earlier one. A list replaces a list; variables are joined.
 * Throws UsageError for a parent that does not exist and for a cycle. Pure.
 */
export function inherit(name: string, file: BakeFile): ResolvedTarget {
  return { name, ...partsOf(name, file, [], new Map()) };
}

type Parts = Omit<ResolvedTarget, 'name'>;

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
  if (path.length > MOST_LEVELS) throw tooDeep(file, `target ${path[0] ?? name}: it inherits`);
  if (path.includes(name)) {
    throw new UsageError(`${file.path}: targets inherit from each other: ${[...path, name].join(', ')}`, {
      hint: 'remove inherits from one of them',
    });
  }
  const target = targetOf(name, file, path);
  const parents = target.inherits.map((parent) => partsOf(parent, file, [...path, name], known));
  const all: Parts[] = [...parents, target];
  return {
    variables: Object.assign({}, ...all.map(({ variables }) => variables)) as Parts['variables'],
    settings: Object.assign({}, ...all.map(({ settings }) => settings)) as Parts['settings'],
  };
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
