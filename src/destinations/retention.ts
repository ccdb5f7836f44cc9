/** One version of an application on a server. */
export interface DatedVersion {
  version: string;
  /** ISO 8601: when it was made. */
  created: string;
}

/** How much to keep; null and numbers below 1 are all. */
export interface RetentionRule {
  /** The highest majors. */
  majors: number | null;
  /** The highest minors of each of them. */
  minors: number | null;
}

interface Numbered extends DatedVersion {
  major: number;
  minor: number;
}

/**
 * The versions that may go, in their order: those of lower majors, of lower minors, and of each X.Y
 * all but the newest by date. Only plain numbers with dots (`1.2`, `1.2.3`) take part; anything
 * else, like a development version, stays.
 */
export function versionsToRemove(
  versions: readonly DatedVersion[],
  { majors, minors }: RetentionRule,
): string[] {
  const numbered = versions.flatMap(numbersOf);
  const byMajor = highest(
    groupBy(numbered, ({ major }) => major),
    majors,
  );
  const kept = byMajor.flatMap((group) =>
    highest(
      groupBy(group, ({ minor }) => minor),
      minors,
    ).map(newest),
  );
  const names = new Set(kept.map(({ version }) => version));
  return numbered.map(({ version }) => version).filter((version) => !names.has(version));
}

function numbersOf(version: DatedVersion): Numbered[] {
  const [, major, minor] = /^(\d+)\.(\d+)(?:\.\d+)*$/.exec(version.version) ?? [];
  return major === undefined || minor === undefined
    ? []
    : [{ ...version, major: Number(major), minor: Number(minor) }];
}

function groupBy(versions: readonly Numbered[], key: (version: Numbered) => number): Map<number, Numbered[]> {
  const groups = new Map<number, Numbered[]>();
  for (const version of versions) groups.set(key(version), [...(groups.get(key(version)) ?? []), version]);
  return groups;
}

/** The groups with the highest numbers. */
function highest(groups: ReadonlyMap<number, Numbered[]>, count: number | null): Numbered[][] {
  const ordered = [...groups].sort(([a], [b]) => b - a).map(([, group]) => group);
  return count === null || count < 1 ? ordered : ordered.slice(0, count);
}

function newest(versions: readonly Numbered[]): Numbered {
  return versions.reduce((best, one) => (Date.parse(one.created) > Date.parse(best.created) ? one : best));
}
