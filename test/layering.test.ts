import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { describe, expect, it } from 'vitest';

/** Rank of every folder (or top-level file) of src; a file may import its own folder and lower ranks. */
const RANKS: Record<string, number> = {
  'errors.ts': 0,
  oci: 1,
  vcdiff: 1,
  io: 2,
  registry: 3,
  docker: 3,
  archive: 3,
  compose: 3,
  cache: 3,
  delta: 3,
  git: 3,
  mender: 3,
  server: 3,
  destinations: 3,
  library: 3,
  pipeline: 4,
  commands: 5,
  'config.ts': 6,
  'cli.ts': 7,
};
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

const roomOf = (file: string): string => file.split(sep)[0]!;

function breaksLayering({ from, to }: Import): boolean {
  const [here, there] = [roomOf(from), roomOf(to)];
  return here !== there && !(RANKS[there]! < RANKS[here]!);
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

describe('layering', () => {
  const imports = sourceFiles().flatMap(importsOf);

  it('sees the imports', () => {
    expect(imports).toContainEqual({ from: join('io', 'verify.ts'), to: join('oci', 'digest.ts') });
  });

  it('gives every folder a rank', () => {
    expect(
      sourceFiles()
        .map(roomOf)
        .filter((room) => RANKS[room] === undefined),
    ).toEqual([]);
  });

  it.each([
    { from: join('io', 'a.ts'), to: join('oci', 'b.ts'), breaks: false },
    { from: join('io', 'a.ts'), to: join('io', 'b.ts'), breaks: false },
    { from: join('oci', 'a.ts'), to: join('io', 'b.ts'), breaks: true },
    { from: join('cache', 'a.ts'), to: join('mender', 'b.ts'), breaks: true },
    { from: join('pipeline', 'a.ts'), to: join('cli.ts'), breaks: true },
  ])('$from -> $to breaks it: $breaks', ({ from, to, breaks }) => {
    expect(breaksLayering({ from, to })).toBe(breaks);
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
      .filter((file) => (RANKS[roomOf(file)] ?? 0) <= 4)
      .filter((file) =>
        /(?<![a-z])process\.(env|argv|stdout|stderr|exit)\b|console\./.test(
          readFileSync(join(SOURCE, file), 'utf8'),
        ),
      );
    expect(touching).toEqual([]);
  });
});
