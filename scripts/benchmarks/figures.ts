// What the benchmarks measure, and the tables that they print and docs/measurements.md quotes.
// Sizes and memory are bytes.
import type { Tally } from '../../test/faults/tally.ts';
import type { MeasuredOn } from '../lib/machine.ts';

/** The figures of one encoder with one pair of layers. */
export interface DeltaFigures {
  raw: number;
  /** Of the delta after xz -6. */
  packed: number;
  seconds: number;
  /** Processor seconds of encoding. */
  processor: number;
  peak: number;
  /** Processor seconds of decoding. */
  decodeSeconds: number;
  /** Bytes that the decoder read of base layer and delta. */
  read: number;
  /** Bytes of both layers. */
  files: number;
  /** Processor seconds of our own proof. */
  proof?: number;
}

export interface BuildFigures {
  seconds: number;
  peak: number;
  /** Of the artifact. */
  size: number;
}

export interface DownloadFigures {
  seconds: number;
  /** Processor seconds. */
  cpu: number;
  /** Of memory; only of our own process. */
  peak?: number;
}

/** A run that makes many requests. */
export interface ManyRequests {
  seconds: number;
  /** Processor seconds, user and system. */
  processor: number;
  peak: number;
  /** To the registry or the Mender server. */
  requests: number;
}

/** One or more runs that fetch from a registry. */
export interface BakeFigures extends ManyRequests {
  /** Bytes of blobs that the registry sent. */
  fetched: number;
}

/** The builds of one number of services, each with an image of its own. */
export interface GrowthFigures {
  services: number;
  first: ManyRequests;
  /** Nothing changed. */
  again: ManyRequests;
  /** All images changed. */
  delta: ManyRequests;
}

/** What became of the changed inputs of one reader. */
interface FuzzedReader {
  name: string;
  tried: number;
  survived: number;
  refused: number;
  lost: number;
}

/** What one update costs the test device. */
export interface DeviceFigures {
  application: string;
  /** Full or delta. */
  artifact: string;
  /** Docker's image store. */
  store: string;
  /** Of the artifact. */
  bytes: number;
  /** From the start of the installation to the end of the commit. */
  seconds: number;
  /** Seconds from the end of the first old container to the start of the last new one. */
  down: number;
  /** The same when the application is stopped and started by hand. */
  own: number;
  /** Bytes of used disk above the start. */
  peak: number;
  /** Bytes of used disk at the end above the start. */
  grown: number;
  /** Bytes written to the disk. */
  written: number;
  /** Peak memory of the decoder. */
  memory: number;
}

/** The figures in docs/measurements/NAME.json. */
export interface FiguresOf {
  /** By encoder and pair. */
  delta: Record<string, Record<string, DeltaFigures>>;
  /** By layer, and of the one encoder. */
  'delta-large': Record<string, Record<string, DeltaFigures>>;
  build: {
    rounds: number;
    /** Medians by the way to build. */
    firstBuilds: Record<string, BuildFigures>;
    /** To the time of the first way, the median of the rounds. */
    ratios: { verified: number; unverified: number };
    again: BuildFigures;
    delta: BuildFigures;
    full: BuildFigures;
    pairedSize: number;
  };
  transfer: { what: string; bytes: number; seconds: number; peak: number }[];
  growth: GrowthFigures[];
  fleet: {
    /** That `fleet status` looks at. */
    devices: number;
    status: ManyRequests;
    /** Over ten versions. */
    rollout: ManyRequests;
    /** The sum of one build for each version, with the highest peak. */
    builds: ManyRequests;
  };
  /**
   * 24 artifacts: 4 applications, 3 platforms, 2 bases. Sums of the runs, with the highest peak.
   */
  bake: {
    bake: BakeFigures;
    /** The same with an empty cache and a signed shared cache that has all deltas. */
    sharedCache: BakeFigures;
    /** One run of `build` for each, one after the other, with one cache. */
    oneCache: BakeFigures;
    /** The same, each with an empty cache. */
    emptyCaches: BakeFigures;
  };
  device: DeviceFigures[];
  /** Of `scripts/fuzz`. */
  fuzz: { seconds: number; seed: number; readers: FuzzedReader[] };
  /** Of `scripts/faults`. */
  faults: { rounds: number; seed: number; tallies: Tally[] };
  download: { mebibytes: number; runs: number; ways: Record<string, DownloadFigures> };
}

/** A file in docs/measurements. */
export type Measured<Name extends keyof FiguresOf> = MeasuredOn & { figures: FiguresOf[Name] };

/** Bytes as MB. */
function megabytes(bytes: number, digits = 2): string {
  return (bytes / 1e6).toFixed(digits);
}

/** A Markdown table: the first column left, the others right. */
export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [head, head.map((_, index) => (index === 0 ? '---' : '---:')), ...rows];
  return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

const DELTA_HEAD = [
  'encoder',
  'delta (MB)',
  'after xz -6 (MB)',
  'encode (s)',
  'its processor time (s)',
  'peak (MB)',
  'decode (processor s)',
  'read by the decoder (MB)',
  'of source + target',
  'own proof (processor s)',
];

/** The table of the encoders with one pair. */
function deltaTable(figures: Readonly<Record<string, DeltaFigures | undefined>>): string {
  const rows = Object.entries(figures).flatMap(([name, one]) =>
    one === undefined ? [] : [deltaRow(name, one)],
  );
  return markdownTable(DELTA_HEAD, rows);
}

function deltaRow(name: string, figures: DeltaFigures): string[] {
  const { raw, packed, seconds, processor, peak, decodeSeconds, read, files, proof } = figures;
  return [
    name,
    megabytes(raw),
    megabytes(packed),
    seconds.toFixed(1),
    processor.toFixed(1),
    megabytes(peak, 0),
    decodeSeconds.toFixed(2),
    megabytes(read, 0),
    files === 0 ? '' : `${((100 * read) / files).toFixed(0)} %`,
    proof === undefined ? '' : proof.toFixed(2),
  ];
}

function deltaTables(results: FiguresOf['delta']): string {
  const pairs = Object.keys(Object.values(results)[0] ?? {});
  const tables = pairs.map((pair) => {
    const own = Object.entries(results).map(([encoder, figures]) => [encoder, figures[pair]] as const);
    return `Pair ${pair}:\n\n${deltaTable(Object.fromEntries(own))}`;
  });
  return tables.join('\n\n');
}

function largeTable(results: FiguresOf['delta-large']): string {
  const own = Object.entries(results).map(([layer, figures]) => [layer, figures['large']] as const);
  return deltaTable(Object.fromEntries(own));
}

function buildTables({ rounds, firstBuilds, ratios, ...later }: FiguresOf['build']): string {
  const row = (what: string, { seconds, peak, size }: BuildFigures): string[] => {
    return [what, seconds.toFixed(2), `${megabytes(peak, 0)} MB`, `${megabytes(size, 1)} MB`];
  };
  const first = Object.entries(firstBuilds).map(([way, figures]) => row(way, figures));
  const rest = [
    row('nothing changed', later.again),
    row('1.0 to 2.0, full', later.full),
    row('1.0 to 2.0, deltas', later.delta),
    [
      '1.0 to 2.0, xdelta3 defaults, layers paired by index, gzip outside',
      '',
      '',
      `${megabytes(later.pairedSize, 1)} MB`,
    ],
  ];
  return [
    markdownTable(['first full build', 'seconds', 'peak memory', 'artifact'], first),
    `Medians of ${rounds} rounds. The ratio to OCI archives is ${ratios.verified.toFixed(2)}, with \`--no-verify\` ${ratios.unverified.toFixed(2)}.`,
    markdownTable(['later build', 'seconds', 'peak memory', 'artifact'], rest),
  ].join('\n\n');
}

function transferTable(figures: FiguresOf['transfer']): string {
  const rows = figures.map(({ what, bytes, peak, seconds }) => {
    return [`\`${what}\``, megabytes(bytes, 0), megabytes(peak, 0), seconds.toFixed(1)];
  });
  return markdownTable(['transfer', 'MB', 'peak memory, MB', 'seconds'], rows);
}

function downloadTable({ mebibytes, runs, ways }: FiguresOf['download']): string {
  const reference = ways['curl']?.seconds ?? Number.NaN;
  const rows = Object.entries(ways).map(([name, { seconds, cpu, peak = 0 }]) => [
    name,
    seconds.toFixed(2),
    (seconds / reference).toFixed(2),
    cpu.toFixed(2),
    peak === 0 ? '' : megabytes(peak, 0),
  ]);
  const head = ['way', 'seconds', 'times curl', 'processor seconds', 'peak memory, MB'];
  return `${mebibytes} MiB from 127.0.0.1, best of ${runs}:\n\n${markdownTable(head, rows)}`;
}

function growthTable(figures: FiguresOf['growth']): string {
  const row = (services: number, what: string, one: ManyRequests): string[] => {
    const { seconds, processor, peak, requests } = one;
    const each = (1000 * processor) / services;
    const times = [seconds.toFixed(1), processor.toFixed(1), each.toFixed(0)];
    return [`${services} services, ${what}`, ...times, String(requests), megabytes(peak, 0)];
  };
  const rows = figures.flatMap(({ services, first, again, delta }) => [
    row(services, 'first build', first),
    row(services, 'nothing changed', again),
    row(services, 'all images changed', delta),
  ]);
  const head = [
    'build',
    'seconds',
    'processor seconds',
    'ms for each service',
    'requests',
    'peak memory, MB',
  ];
  return markdownTable(head, rows);
}

function fleetTable({ devices, status, rollout, builds }: FiguresOf['fleet']): string {
  const row = (what: string, { seconds, processor, peak, requests }: ManyRequests): string[] => {
    return [what, seconds.toFixed(1), processor.toFixed(1), megabytes(peak, 0), String(requests)];
  };
  const head = ['run', 'seconds', 'processor seconds', 'peak memory, MB', 'requests to the server'];
  return markdownTable(head, [
    row(`\`fleet status\`, ${devices.toLocaleString('en')} devices`, status),
    row('`rollout` to 1,000 devices with ten versions', rollout),
    row('ten builds, each with an empty cache', builds),
  ]);
}

function bakeTable({ bake, sharedCache, oneCache, emptyCaches }: FiguresOf['bake']): string {
  const row = (what: string, one: BakeFigures): string[] => [
    what,
    one.seconds.toFixed(1),
    (one.seconds / bake.seconds).toFixed(1),
    one.processor.toFixed(1),
    megabytes(one.fetched, 0),
    String(one.requests),
    megabytes(one.peak, 0),
  ];
  const head = [
    '24 artifacts',
    'seconds',
    'times bake',
    'processor seconds',
    'MB fetched',
    'requests',
    'peak memory, MB',
  ];
  return markdownTable(head, [
    row('one run of `bake`, empty cache', bake),
    row('the same with a signed shared cache that has the deltas', sharedCache),
    row('24 runs of `build`, one cache', oneCache),
    row('24 runs of `build`, each with an empty cache', emptyCaches),
  ]);
}

function fuzzTable({ seconds, seed, readers }: FiguresOf['fuzz']): string {
  const sum = (which: 'tried' | 'survived' | 'refused' | 'lost'): number =>
    readers.reduce((all, reader) => all + reader[which], 0);
  const all = { tried: sum('tried'), survived: sum('survived'), refused: sum('refused'), lost: sum('lost') };
  const rows = [...readers, { name: '**all**', ...all }].map(({ name, tried, survived, refused, lost }) => [
    name,
    ...[tried, survived, refused, lost].map((count) => count.toLocaleString('en')),
  ]);
  const table = markdownTable(['reader', 'tried', 'survived', 'refused with an error', 'lost'], rows);
  return `\`scripts/fuzz --seconds ${seconds} --seed ${seed}\`:\n\n${table}`;
}

function faultsTable({ rounds, seed, tallies }: FiguresOf['faults']): string {
  const rows = tallies.map(({ name, tried, lost, outcomes }) => [
    name,
    ...[tried, tried - lost.length, lost.length].map(String),
    Object.entries(outcomes)
      .map(([outcome, times]) => `${outcome}: ${times}`)
      .join(', '),
  ]);
  const table = markdownTable(['', 'tried', 'survived', 'lost', 'how the runs ended'], rows);
  return `\`scripts/faults ${rounds} ${seed}\`:\n\n${table}`;
}

const DEVICE_HEAD = [
  'update',
  'artifact, MB',
  'seconds',
  'application down, s',
  'stopped and started by hand, s',
  'peak disk, MB',
  'grown, MB',
  'written, MB',
  'decoder, MB',
];

function deviceTable(figures: FiguresOf['device']): string {
  const rows = figures.map(({ application, artifact, store, ...cost }) => [
    `${application}, ${artifact}, ${store} store`,
    megabytes(cost.bytes),
    cost.seconds.toFixed(0),
    cost.down.toFixed(1),
    cost.own.toFixed(1),
    ...[cost.peak, cost.grown, cost.written, cost.memory].map(wholeMegabytes),
  ]);
  return markdownTable(DEVICE_HEAD, rows);
}

/** Bytes as whole MB, never -0. */
function wholeMegabytes(bytes: number): string {
  return String(Math.round(bytes / 1e6) + 0);
}

const TABLES: { [Name in keyof FiguresOf]: (figures: FiguresOf[Name]) => string } = {
  delta: deltaTables,
  'delta-large': largeTable,
  build: buildTables,
  transfer: transferTable,
  growth: growthTable,
  fleet: fleetTable,
  bake: bakeTable,
  device: deviceTable,
  fuzz: fuzzTable,
  faults: faultsTable,
  download: downloadTable,
};

/** The names of all benchmarks. */
export const BENCHMARKS = Object.keys(TABLES) as (keyof FiguresOf)[];

/** When and where the figures were measured, and their tables, as Markdown. */
export function measuredText<Name extends keyof FiguresOf>(name: Name, measured: Measured<Name>): string {
  const { date, commit, machine, figures } = measured;
  const { processor, cores, memoryGiB, node } = machine;
  const where = `${processor}, ${cores} cores, ${memoryGiB} GiB, Node.js ${node.replace(/^v/, '')}`;
  return `Measured on ${date} with commit ${commit} (${where}).\n\n${TABLES[name](figures)}`;
}
