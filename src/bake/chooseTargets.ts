import { UsageError } from '../errors.ts';
import { formatPlatform, parsePlatform } from '../oci/platform.ts';
import { hintFor } from './hintFor.ts';
import type { BakeFile } from './model.ts';
import { MOST_LEVELS, levelsAbove, tooDeep } from './tooDeep.ts';

/** The group that is built if nobody names one, as with `docker buildx bake`. */
const DEFAULT = 'default';

/** A target of a run. */
export interface Chosen {
  target: string;
  /** Only for this platform, `os/arch[/variant]`; undefined for all of the target. */
  platform?: string | undefined;
}

/**
 * Returns the targets that the words of a command line name: targets, groups, or
 * `TARGET@PLATFORM`; without words those of the group `default`. Each comes once, in the order of
 * the words. Throws UsageError for an unknown name and for groups in a cycle. Pure.
 */
export function chooseTargets(words: readonly string[], file: BakeFile): Chosen[] {
  const named = words.length > 0 ? words : [defaultOf(file)];
  const all: Chosen[] = named.flatMap((word) => {
    const [name = '', ...platform] = word.split('@');
    if (platform.length === 0) return membersOf(name, file).map((target) => ({ target }));
    const only = formatPlatform(parsePlatform(platform.join('@')));
    return membersOf(name, file).map((target) => ({ target, platform: only }));
  });
  const whole = new Set(all.filter((one) => one.platform === undefined).map(({ target }) => target));
  // A platform of a target that is chosen whole is chosen already.
  const needed = all.filter(({ target, platform }) => platform === undefined || !whole.has(target));
  return [...new Map(needed.map((one) => [`${one.target}@${one.platform ?? ''}`, one])).values()];
}

function defaultOf({ path, groups, targets }: BakeFile): string {
  if (groups.has(DEFAULT) || targets.has(DEFAULT)) return DEFAULT;
  throw new UsageError(`${path}: there is no group ${DEFAULT}, and no target is named`, {
    hint: `name what to build: ${[...groups.keys(), ...targets.keys()].join(', ')}; or add group: {${DEFAULT}: [TARGET, ...]}`,
  });
}

/**
 * Throws UsageError for an unknown name in a group of the file, for groups in a cycle, and for more
 * than 100 levels of groups. Pure.
 */
export function checkGroups(file: BakeFile): void {
  const walk = { file, levels: new Map<string, number>() };
  for (const group of file.groups.keys()) walkGroup(group, walk, []);
}

/** The targets of a group, each once, or the target itself. */
function membersOf(name: string, file: BakeFile): string[] {
  const targets = new Set<string>();
  walkGroup(name, { file, levels: new Map(), targets }, []);
  return [...targets];
}

interface Walk {
  file: BakeFile;
  /** The groups that are done, with how many levels of groups each holds. */
  levels: Map<string, number>;
  /** Gets each target. */
  targets?: Set<string>;
}

/** Goes into each group once. Returns the levels of groups. `trail`: the groups around this one. */
function walkGroup(name: string, walk: Walk, trail: readonly string[]): number {
  const { file, levels } = walk;
  const known = levels.get(name);
  if (known !== undefined) return known;
  if (trail.includes(name)) {
    throw new UsageError(`${file.path}: groups contain each other: ${[...trail, name].join(', ')}`, {
      hint: 'remove one of them from the other',
    });
  }
  requireShallow(trail.length, trail[0] ?? name, file);
  const members = file.groups.get(name);
  if (members === undefined) {
    if (!file.targets.has(name)) throw unknownName(name, file, trail.at(-1));
    walk.targets?.add(name);
    return 0;
  }
  const own = levelsAbove(members.map((member) => walkGroup(member, walk, [...trail, name])));
  requireShallow(own, name, file);
  levels.set(name, own);
  return own;
}

function requireShallow(levels: number, name: string, file: BakeFile): void {
  if (levels > MOST_LEVELS) throw tooDeep(file, `group ${name}: it holds groups`);
}

function unknownName(
  name: string,
  { path, groups, targets }: BakeFile,
  group: string | undefined,
): UsageError {
  const names = [...groups.keys(), ...targets.keys()];
  const place = group === undefined ? path : `${path}: group ${group}`;
  return new UsageError(`${place}: there is no target or group ${JSON.stringify(name)}`, {
    hint: hintFor(name, names),
  });
}
