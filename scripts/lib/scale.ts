// Computes what many applications and many devices cost, for docs/scale.md. Nothing is measured
// here: the assumptions are below, and what was measured is in docs/measurements.md.
import { markdownTable } from '../benchmarks/figures.ts';

/** One application. Its sizes are those of the demo. */
const APPLICATION = {
  images: 3,
  /** Layers of an image, and how many of them a release changes. */
  layers: 6,
  changedLayers: 2,
  /** Bytes of the compressed layers of all images, and of those that a release changes. */
  pulled: 90e6,
  pulledChanged: 60e6,
  /** Bytes of the changed layers, unpacked, and of all layers. */
  unpackedChanged: 200e6,
  unpacked: 283e6,
  /** Bytes of the artifacts: full, and a delta from the release before. */
  full: 67e6,
  delta: 3.6e6,
} as const;

/**
 * Processor seconds: of a delta for each unpacked byte (encoding, proof, packing), and of a run of
 * the tool.
 */
const SECONDS = { perByte: 1 / 40e6, perRun: 0.7 };

/**
 * Bytes of a delta over `distance` releases. It grows with the root of the distance, up to the full
 * artifact.
 */
function deltaBytes(distance: number): number {
  return Math.min(APPLICATION.full, APPLICATION.delta * Math.sqrt(distance));
}

/** What a year of releases is like. */
interface Releases {
  applications: number;
  platforms: number;
  /** Older releases that each release has a delta for. */
  bases: number;
  /** In a year. */
  releases: number;
}

interface Cost {
  artifacts: number;
  /** To the registry. */
  requests: number;
  /** Bytes from the registry. */
  fetched: number;
  processorSeconds: number;
}

const sum = (values: readonly number[]): number => values.reduce((all, value) => all + value, 0);
const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

/**
 * What one day costs: `separate` runs with empty caches, one for each artifact, or one run of
 * `bake` with a warm cache.
 */
function dayCost({ applications, platforms, bases }: Releases, way: 'separate' | 'bake'): Cost {
  const { images, layers, changedLayers, pulled, pulledChanged, unpackedChanged } = APPLICATION;
  const artifacts = applications * platforms * (bases + 1);
  const builds = applications * platforms;
  const encode = builds * bases * unpackedChanged * SECONDS.perByte;
  if (way === 'bake') {
    // The index once for all platforms; manifest, config and changed layers for each.
    const requests = applications * images * (1 + platforms * (2 + changedLayers));
    const run = builds * (bases + 1) * SECONDS.perRun * 0.1;
    return { artifacts, requests, fetched: builds * pulledChanged, processorSeconds: encode + run };
  }
  // Each delta fetches all of the new image, and the changed layers of the old one.
  const full = images * (3 + layers);
  const requests = builds * (full + bases * (full + images * (3 + changedLayers)));
  const fetched = builds * (pulled + bases * (pulled + pulledChanged));
  return { artifacts, requests, fetched, processorSeconds: encode + artifacts * SECONDS.perRun };
}

/** Bytes of the cache after that many days: layers for the bases, or of all days. */
function cacheBytes({ applications, platforms, bases }: Releases, days: number, expires: boolean): number {
  const { unpacked, unpackedChanged } = APPLICATION;
  const kept = expires ? Math.min(days, bases + 1) : days;
  const layers = unpacked + (kept - 1) * unpackedChanged;
  const deltas = kept * sum(upTo(bases).map(deltaBytes));
  return applications * platforms * (layers + deltas);
}

/** The devices on each version, the newest first: a version of age n has a share of 1 / n. */
function fleetOf(devices: number, versions: number): number[] {
  const weights = upTo(versions).map((age) => 1 / age);
  const counts = weights.map((weight) => Math.floor((devices * weight) / sum(weights)));
  counts[0] = (counts[0] ?? 0) + devices - sum(counts);
  return counts;
}

/** Bytes that a fleet downloads for one release, with deltas for the versions that save most. */
function sentBytes(fleet: readonly number[], deltas: number): number {
  const savings = fleet.map((devices, index) => devices * (APPLICATION.full - deltaBytes(index + 1)));
  const best = savings.toSorted((one, other) => other - one).slice(0, deltas);
  return sum(fleet) * APPLICATION.full - sum(best);
}

const whole = (value: number): string => Math.round(value).toLocaleString('en');
const terabytes = (bytes: number): string => (bytes / 1e12).toFixed(bytes < 1e12 ? 2 : 1);

function costTable(releases: Releases): string {
  const row = (what: string, way: 'separate' | 'bake'): string[] => {
    const { artifacts, requests, fetched, processorSeconds } = dayCost(releases, way);
    const hours = (processorSeconds / 3600).toFixed(1);
    return [what, whole(artifacts), whole(requests), terabytes(fetched), hours];
  };
  const head = ['a day', 'artifacts', 'requests to the registry', 'TB fetched', 'processor hours'];
  return markdownTable(head, [
    row('a run of `build` for each artifact, empty caches', 'separate'),
    row('`bake`, warm cache', 'bake'),
  ]);
}

function cacheTable(releases: Releases): string {
  const rows = [1, 10, 30, 100, releases.releases].map((days) => [
    String(days),
    terabytes(cacheBytes(releases, days, true)),
    terabytes(cacheBytes(releases, days, false)),
  ]);
  return markdownTable(['days', 'cache with the bases only, TB', 'cache that keeps all, TB'], rows);
}

function fleetTable(devices: number, versions: number): string {
  const fleet = fleetOf(devices, versions);
  const all = sentBytes(fleet, 0);
  const rows = [0, 1, 2, 3, 5, 10, 20, versions].map((deltas) => {
    const sent = sentBytes(fleet, deltas);
    const last = sentBytes(fleet, Math.max(0, deltas - 1)) - sent;
    const smallest = deltas === 0 ? '' : whole(fleet[deltas - 1] ?? 0);
    return [
      String(deltas),
      smallest,
      terabytes(sent),
      `${((100 * sent) / all).toFixed(0)} %`,
      whole(last / 1e9),
    ];
  });
  const head = [
    'deltas',
    'devices of the last one',
    'TB sent',
    'of full artifacts',
    'GB that the last one saves',
  ];
  return markdownTable(head, rows);
}

/** The tables of docs/scale.md, as Markdown. */
export function scaleText(): string {
  const releases = { applications: 200, platforms: 3, bases: 10, releases: 250 };
  return [
    'Building:',
    costTable(releases),
    'The cache:',
    cacheTable(releases),
    'One release to 100,000 devices on 30 versions:',
    fleetTable(100_000, 30),
  ].join('\n\n');
}
