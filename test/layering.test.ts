import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { describe, expect, it } from 'vitest';

/**
 * The rooms of src, lowest first. A file imports its own room and lower rows; a row's rooms never
 * import each other.
 */
const ROWS: readonly (readonly string[])[] = [
  ['errors.ts', 'environment.ts'],
  ['oci', 'simd'],
  ['io', 'patch', 'tar', 'vcdiff'],
  ['http', 'compress'],
  ['download'],
  [
    'archives',
    'registry',
    'docker',
    'library',
    'cache',
    'delta',
    'compose',
    'git',
    'mender',
    'server',
    'destinations',
    'device',
    'bake',
  ],
  ['pipeline'],
  ['pipeline/images'],
  ['pipeline/base'],
  ['pipeline/plan'],
  ['pipeline/verify', 'pipeline/describe', 'pipeline/doctor'],
  ['pipeline/report'],
  ['pipeline/build', 'pipeline/release'],
  ['pipeline/destinations', 'pipeline/fleet', 'pipeline/publish'],
  ['pipeline/rollout'],
  ['commands/terminal'],
  ['commands/line'],
  ['commands/options'],
  ['commands/open'],
  ['commands/destinations'],
  ['commands/build'],
  ['commands/artifacts', 'commands/bake', 'commands/init', 'commands/user', 'commands/fleet'],
  ['commands'],
  // The library's functions, and what the package exports of them.
  ['api'],
  ['index.ts'],
  ['config.ts'],
  ['cli.ts'],
];
/** What one room may take from another of its row. */
const SIDEWAYS: Record<string, string[]> = { library: ['registry'], docker: ['archives'] };
/** The rows up to this one know no process and no terminal. */
const LAST_PURE_ROOM = 'pipeline/rollout';
const SOURCE = resolve(import.meta.dirname, '../src');

interface Import {
  from: string;
  to: string;
}

function sourceFiles(): string[] {
  return readdirSync(SOURCE, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .sort();
}

function importsOf(file: string): Import[] {
  const text = readFileSync(join(SOURCE, file), 'utf8');
  const found = text.matchAll(
    /(?:^|\n)(?:import|export)\b[^;'"]*?\bfrom\s*['"](\.[^'"]+)['"]|(?:^|\n)import\s*['"](\.[^'"]+)['"]|\bimport\(\s*['"](\.[^'"]+)['"]/g,
  );
  return [...found].map((match) => ({
    from: file,
    to: relative(SOURCE, resolve(SOURCE, dirname(file), match[1] ?? match[2] ?? match[3]!)),
  }));
}

const RANKS = new Map(ROWS.flatMap((rooms, rank) => rooms.map((room) => [room, rank] as const)));

/** The innermost folder of `file` that has a rank. */
function roomOf(file: string): string {
  const parts = file.split(sep);
  const folders = parts.map((_, index) => parts.slice(0, parts.length - index).join('/'));
  return folders.find((folder) => RANKS.has(folder)) ?? file;
}

const rankOf = (room: string): number => RANKS.get(room) ?? Infinity;

function breaksLayering({ from, to }: Import): boolean {
  const [here, there] = [roomOf(from), roomOf(to)];
  const mayImport = rankOf(there) < rankOf(here) || (SIDEWAYS[here] ?? []).includes(there);
  return here !== there && !mayImport;
}

function findCycle(graph: ReadonlyMap<string, string[]>): string[] | undefined {
  const done = new Set<string>();
  const visit = (file: string, path: string[]): string[] | undefined => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
    if (done.has(file)) return undefined;
    done.add(file);
    for (const next of graph.get(file) ?? []) {
      const cycle = visit(next, [...path, file]);
      if (cycle) return cycle;
    }
    return undefined;
  };
  for (const file of graph.keys()) {
    const cycle = visit(file, []);
    if (cycle) return cycle;
  }
  return undefined;
}

/** The names that a file exports by declaring them. */
function namesIn(file: string): string[] {
  const text = readFileSync(join(SOURCE, file), 'utf8');
  const declared = text.matchAll(/^export (?:async )?(?:function\*?|const|class|interface|type) (\w+)/gm);
  return [...new Set([...declared].map(([, name = '']) => name))];
}

/**
 * Words of two formats, each under its own name: a mapping of YAML and one of a destination map.
 * `decodeVcdiff` of the library wraps the other one.
 */
const TWICE = ['Mapping', 'decodeVcdiff'];

describe('layering', () => {
  const imports = sourceFiles().flatMap(importsOf);

  it('sees the imports', () => {
    expect(imports).toContainEqual({ from: join('io', 'verify.ts'), to: join('oci', 'digest.ts') });
  });

  it('gives every folder a rank', () => {
    expect(
      sourceFiles()
        .map(roomOf)
        .filter((room) => !RANKS.has(room)),
    ).toEqual([]);
  });

  it.each([
    { from: join('io', 'a.ts'), to: join('oci', 'b.ts'), breaks: false },
    { from: join('io', 'a.ts'), to: join('io', 'b.ts'), breaks: false },
    { from: join('oci', 'a.ts'), to: join('io', 'b.ts'), breaks: true },
    { from: join('cache', 'a.ts'), to: join('mender', 'b.ts'), breaks: true },
    { from: join('docker', 'a.ts'), to: join('archives', 'b.ts'), breaks: false },
    { from: join('archives', 'a.ts'), to: join('docker', 'b.ts'), breaks: true },
    { from: join('pipeline', 'build', 'a.ts'), to: join('pipeline', 'base', 'b.ts'), breaks: false },
    { from: join('pipeline', 'base', 'a.ts'), to: join('pipeline', 'build', 'b.ts'), breaks: true },
    { from: join('mender', 'write', 'a.ts'), to: join('mender', 'b.ts'), breaks: false },
    { from: join('pipeline', 'a.ts'), to: join('cli.ts'), breaks: true },
  ])('$from -> $to breaks it: $breaks', ({ from, to, breaks }) => {
    expect(breaksLayering({ from, to })).toBe(breaks);
  });

  it('has at most about twenty files in a folder', () => {
    const entries = readdirSync(SOURCE, { recursive: true, withFileTypes: true });
    const folders = entries.filter((entry) => entry.isFile()).map(({ parentPath }) => parentPath);
    const full = folders.filter((folder) => folders.filter((other) => other === folder).length > 20);
    expect([...new Set(full)]).toEqual([]);
  });

  it('has one meaning for each name', () => {
    const names = sourceFiles().flatMap(namesIn);
    expect(names).toContain('Environment');
    const repeated = new Set(names.filter((name, position) => names.indexOf(name) < position));
    expect([...repeated].sort()).toEqual(TWICE);
  });

  it('is kept by every import', () => {
    expect(imports.filter(breaksLayering)).toEqual([]);
  });

  it('has no cycles', () => {
    const graph = new Map<string, string[]>();
    for (const { from, to } of imports) graph.set(from, [...(graph.get(from) ?? []), to]);
    expect(findCycle(graph)).toBeUndefined();
    expect(
      findCycle(
        new Map([
          ['a', ['b']],
          ['b', ['a']],
        ]),
      ),
    ).toEqual(['a', 'b', 'a']);
  });

  it('keeps the process and the terminal out of everything below the commands', () => {
    const touching = sourceFiles()
      .filter((file) => rankOf(roomOf(file)) <= rankOf(LAST_PURE_ROOM))
      .filter((file) =>
        /(?<![a-z])process\.(env|argv|stdout|stderr|exit)\b|console\./.test(
          readFileSync(join(SOURCE, file), 'utf8'),
        ),
      );
    expect(touching).toEqual([]);
  });
});
