import type { ExaminedFile } from './examined.ts';
import { hasOnlyNewTime, judgeFile } from './judgeFile.ts';
import type { Finding, FindingKind } from './model.ts';

/** A file of the artifact, with where it is. */
export interface PlacedFile {
  file: ExaminedFile;
  /** The place of its image and of its layer. */
  image: number;
  layer: number;
  /** About its bytes in the artifact. */
  cost: number;
}

const MOST_PATHS = 8;
/** Findings that explain a smaller share of the artifact are left out. */
const LEAST_SHARE = 0.005;

/** Paths of what is of no use in an image. The first that fits holds. */
const LEFTOVERS: readonly (readonly [FindingKind, RegExp])[] = [
  ['packageCache', /^(var\/(cache\/(apt|yum|dnf|apk|pacman)|lib\/apt\/lists)|etc\/apk\/cache)\//],
  ['userCache', /(^|\/)(\.cache|\.npm\/_cacache|\.cargo\/registry|\.yarn\/cache|go\/pkg\/mod\/cache)\//],
  ['userCache', /^(var\/)?tmp\//],
  ['log', /^var\/log\/|\.log(\.\d+)?$/],
  ['documentation', /^usr\/share\/(doc|man|info|gtk-doc)\//],
  ['git', /(^|\/)\.git\//],
  ['bytecode', /(^|\/)__pycache__\/|\.pyc$/],
];

/**
 * Returns the kinds of waste among the files, those that cost most first. `size`: bytes of the
 * artifact. Each file counts for one kind at most. Pure.
 */
export function findingsOf(files: readonly PlacedFile[], size: number): Finding[] {
  const copies = copiesOf(files);
  const groups = new Map<FindingKind, PlacedFile[]>();
  for (const placed of files) {
    const kind = kindOf(placed, copies);
    if (kind === undefined) continue;
    const group = groups.get(kind) ?? [];
    group.push(placed);
    groups.set(kind, group);
  }
  return [...groups]
    .map(([kind, group]) => findingOf(kind, group))
    .filter(({ cost }) => cost >= size * LEAST_SHARE)
    .sort((one, other) => other.cost - one.cost || (one.kind < other.kind ? -1 : 1));
}

function findingOf(kind: FindingKind, group: readonly PlacedFile[]): Finding {
  const sorted = [...group].sort(byCost);
  return {
    kind,
    cost: group.reduce((sum, { cost }) => sum + cost, 0),
    count: group.length,
    paths: sorted.slice(0, MOST_PATHS).map(({ file }) => file.path),
  };
}

/** Those that cost most first; of equal ones by path. */
export function byCost(one: PlacedFile, other: PlacedFile): number {
  return other.cost - one.cost || (one.file.path < other.file.path ? -1 : 1);
}

function kindOf(placed: PlacedFile, copies: ReadonlyMap<PlacedFile, FindingKind>): FindingKind | undefined {
  const { file, cost } = placed;
  if (cost === 0) return undefined;
  const leftover = LEFTOVERS.find(([, pattern]) => pattern.test(file.path))?.[0];
  return leftover ?? copies.get(placed) ?? changeOf(file);
}

function changeOf(file: ExaminedFile): FindingKind | undefined {
  if (hasOnlyNewTime(file)) return 'times';
  if (!isSent(file)) return undefined;
  if (file.content === 'packed') return 'packed';
  if (file.content !== 'program') return undefined;
  return file.hasDebug ? 'debug' : file.base === undefined ? undefined : 'program';
}

/** True if the artifact brings a part of the content. */
function isSent(file: ExaminedFile): boolean {
  const state = judgeFile(file);
  return state !== 'kept' && state !== 'moved';
}

/**
 * The files that a layer above replaces or deletes, or has again, and those whose content another
 * file of the artifact has.
 */
function copiesOf(files: readonly PlacedFile[]): Map<PlacedFile, FindingKind> {
  const found = new Map<PlacedFile, FindingKind>();
  const byDigest = new Map<string, PlacedFile>();
  const above = new Map<string, PlacedFile>();
  for (const placed of files.toReversed()) {
    const { file, image } = placed;
    const upper = above.get(placeOf(image, file.path));
    if (file.kind !== 'folder') above.set(placeOf(image, hiddenPath(file.path)), placed);
    if (upper !== undefined && upper.layer !== placed.layer && file.size > 0)
      found.set(
        placed,
        upper.file.digest !== undefined && upper.file.digest === file.digest ? 'again' : 'replaced',
      );
  }
  for (const placed of files) {
    const { digest } = placed.file;
    if (digest === undefined || found.has(placed) || !isSent(placed.file)) continue;
    if (byDigest.has(digest)) found.set(placed, 'twice');
    else byDigest.set(digest, placed);
  }
  return found;
}

function placeOf(image: number, path: string): string {
  return `${image}\0${path}`;
}

/**
 * The path that an entry hides in the layers below: `a/.wh.b` hides `a/b`.
 * https://github.com/opencontainers/image-spec/blob/main/layer.md#whiteouts
 */
function hiddenPath(path: string): string {
  return path.replace(/(^|\/)\.wh\.([^/]+)$/, '$1$2');
}
