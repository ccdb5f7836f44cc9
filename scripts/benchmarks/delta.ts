// Measures the delta encoders side by side.
//
//   scripts/bench delta CORPUS     pairs of layers as `scripts/make-corpus CORPUS` makes them
//   scripts/bench delta --large    a layer of 5 GiB and one of 1,000,000 files, made on the fly (16 GB in the temporary
//                                  folder)
//
// Needs xdelta3, zstd, xz, tar and time (Debian: apt-get install xdelta3 zstd xz-utils tar time).
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { ownDecoderPath } from '../../src/mender/onDevice/carriedDecoder.ts';
import { hugeLayer, countlessFiles, writeTar } from './largeLayers.ts';
import type { DeltaFigures, FiguresOf } from './figures.ts';
import { saveFigures } from './report.ts';
import { timed } from './timed.ts';

const CHILD = join(import.meta.dirname, 'encodeOnce.mjs');
const MIB = 1 << 20;

interface Encoder {
  name: string;
  /** The command that makes `delta`. */
  encode: (old: string, fresh: string, delta: string) => string[];
  /** The command that decodes it to stdout. */
  decode: (old: string, delta: string) => string[];
  /** The command that prints the processor seconds of our own proof. */
  prove?: (old: string, fresh: string, delta: string) => string[];
}

/** zstd refuses a file against itself, which an unchanged layer is. */
function apart(old: string, fresh: string, delta: string): string {
  if (statSync(old).ino !== statSync(fresh).ino) return old;
  copyFileSync(old, `${delta}.old`);
  return `${delta}.old`;
}

const stock: Encoder['decode'] = (old, delta) => ['xdelta3', '-d', '-c', '-s', old, delta];
const builtin = (effort: string): Encoder => ({
  name: `ours, ${effort}`,
  encode: (old, fresh, delta) => [process.execPath, CHILD, 'encode', old, fresh, delta, effort],
  decode: stock,
  prove: (old, fresh, delta) => [process.execPath, CHILD, 'prove', old, fresh, delta],
});

const ENCODERS: readonly Encoder[] = [
  builtin('fast'),
  builtin('default'),
  builtin('best'),
  {
    name: 'ours, a patch',
    encode: (old, fresh, patch) => [process.execPath, CHILD, 'patch', old, fresh, patch],
    decode: (old, patch) => ['sh', '-c', '"$1" decode "$2" < "$3"', 'sh', ownDecoderPath() ?? '', old, patch],
  },
  {
    name: 'xdelta3 defaults',
    encode: (old, fresh, delta) => ['xdelta3', '-e', '-f', '-s', old, fresh, delta],
    decode: stock,
  },
  {
    name: 'xdelta3, best flags',
    encode: (old, fresh, delta) => {
      const window = [
        '-B',
        String(Math.max(statSync(old).size, MIB)),
        '-W',
        '16777216',
        '-I',
        '0',
        '-P',
        '16777216',
      ];
      return ['xdelta3', '-e', '-f', '-9', '-S', 'none', ...window, '-s', old, fresh, delta];
    },
    decode: stock,
  },
  {
    name: 'zstd -19 --patch-from',
    encode: (old, fresh, delta) => [
      'zstd',
      '-19',
      '--long=31',
      '-q',
      '-f',
      `--patch-from=${apart(old, fresh, delta)}`,
      fresh,
      '-o',
      delta,
    ],
    decode: (old, delta) => ['zstd', '-d', '--long=31', '-q', '-c', `--patch-from=${old}`, delta],
  },
];

/**
 * Processor seconds of decoding and bytes that it read of old layer and delta; fails unless the
 * result is `fresh`.
 */
function decoded(
  encoder: Encoder,
  old: string,
  delta: string,
  fresh: string,
): Pick<DeltaFigures, 'decodeSeconds' | 'read'> {
  const command = encoder.decode(old, delta);
  const script = '"$@" > /dev/null || exit 1; sed -n "s/^rchar: //p" /proc/$$/io';
  const { processor, output } = timed(['sh', '-c', script, 'sh', ...command]);
  execFileSync('sh', ['-c', 'target=$1; shift; "$@" | cmp - "$target"', 'sh', fresh, ...command]);
  return { decodeSeconds: processor, read: Number(output) };
}

/**
 * Bytes of files in one tar, stored in gzip as the payload is, and compressed by xz -6 as the
 * artifact is.
 */
function packedSize(folder: string, names: readonly string[]): number {
  const tar = execFileSync(
    'tar',
    ['--mtime=@0', '--owner=0', '--group=0', '-C', folder, '-cf', '-', ...names],
    { maxBuffer: 2 ** 31 },
  );
  const stored = gzipSync(tar, { level: 0 });
  return execFileSync('xz', ['-6', '-T1', '-c'], { input: stored, maxBuffer: 2 ** 31 }).length;
}

function measure(encoder: Encoder, corpus: string, pair: string, folder: string): DeltaFigures {
  const [old, fresh] = [join(corpus, pair, 'old.tar'), join(corpus, pair, 'new.tar')];
  const delta = join(folder, `${pair}.delta`);
  const { seconds, processor, peak } = timed(encoder.encode(old, fresh, delta));
  return {
    raw: statSync(delta).size,
    packed: packedSize(folder, [`${pair}.delta`]),
    seconds,
    processor,
    peak,
    ...decoded(encoder, old, delta, fresh),
    files: statSync(old).size + statSync(fresh).size,
    ...(encoder.prove && { proof: Number(timed(encoder.prove(old, fresh, delta)).output) }),
  };
}

type Results = FiguresOf['delta'];

function compare(corpus: string): Results {
  const pairs = readdirSync(corpus)
    .filter((name) => existsSync(join(corpus, name, 'new.tar')))
    .sort();
  const folders = new Map(ENCODERS.map(({ name }) => [name, mkdtempSync(join(tmpdir(), 'bench-delta-'))]));
  const results: Results = {};
  try {
    for (const pair of pairs) {
      console.error(`measuring ${pair}`);
      for (const encoder of ENCODERS) {
        const folder = folders.get(encoder.name) ?? '';
        (results[encoder.name] ??= {})[pair] = measure(encoder, corpus, pair, folder);
      }
    }
    addTotals(pairs, folders, results);
  } finally {
    for (const folder of folders.values()) rmSync(folder, { recursive: true });
  }
  return results;
}

/**
 * The sums over all pairs. No encoder has work with an unchanged layer, so the sums leave it out.
 */
function addTotals(pairs: readonly string[], folders: ReadonlyMap<string, string>, results: Results): void {
  const counted = pairs.filter((pair) => !pair.endsWith('-same'));
  for (const [name, folder] of folders) {
    const own = counted.flatMap((pair) => results[name]?.[pair] ?? []);
    const sum = (key: keyof DeltaFigures): number =>
      own.reduce((total, figures) => total + (figures[key] ?? 0), 0);
    const total: DeltaFigures = {
      raw: sum('raw'),
      packed: packedSize(
        folder,
        counted.map((pair) => `${pair}.delta`),
      ),
      seconds: sum('seconds'),
      processor: sum('processor'),
      peak: Math.max(...own.map(({ peak }) => peak)),
      decodeSeconds: sum('decodeSeconds'),
      read: sum('read'),
      files: sum('files'),
      ...(own.some(({ proof }) => proof !== undefined) && { proof: sum('proof') }),
    };
    (results[name] ??= {})[`${counted.length} together, packed as one`] = total;
  }
}

function measureLarge(): Results {
  const results: Results = {};
  const layers = { '5 GiB in five files': hugeLayer, '1,000,000 files': countlessFiles };
  for (const [name, layer] of Object.entries(layers)) {
    const corpus = mkdtempSync(join(tmpdir(), 'bench-delta-large-'));
    try {
      mkdirSync(join(corpus, 'pair'));
      writeTar(join(corpus, 'pair', 'old.tar'), layer(false));
      writeTar(join(corpus, 'pair', 'new.tar'), layer(true));
      results[name] = { large: measure(builtin('default'), corpus, 'pair', corpus) };
    } finally {
      rmSync(corpus, { recursive: true });
    }
  }
  return results;
}

const [corpus] = process.argv.slice(2);
if (corpus === '--large') saveFigures('delta-large', measureLarge());
else if (corpus !== undefined && existsSync(corpus)) saveFigures('delta', compare(corpus));
else throw new Error('usage: scripts/bench delta CORPUS | --large');
