// 24 artifacts in one run of `bake` against 24 runs of `build`: 4 applications, 3 platforms, 2
// bases.
//
//   scripts/bench bake
//
// Needs time (Debian package). The registry runs in this process and counts what it sends.
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { formatPlatform, platformWord } from '../../src/oci/platform.ts';
import type { Platform } from '../../src/oci/platform.ts';
import { buildImage, buildIndex } from '../../test/helpers/images.ts';
import { startMisbehavingRegistry } from '../../test/helpers/misbehaving-registry.ts';
import { noise } from '../../test/helpers/noise.ts';
import type { BakeFigures } from './figures.ts';
import { ROOT, saveFigures } from './report.ts';
import { timedBeside } from './timed.ts';

const APPLICATIONS = ['shop', 'till', 'counter', 'display'];
const PLATFORMS: readonly Platform[] = [
  { os: 'linux', architecture: 'amd64' },
  { os: 'linux', architecture: 'arm64' },
  { os: 'linux', architecture: 'arm', variant: 'v7' },
];
const BASES = ['1.0', '1.1'];
const NEW = '2.0';
const SETUP = ['-t', 'qemu', '--module', 'app', '--writer', 'embedded'];
const tool = join(ROOT, 'bin/mender-docker-delta.js');
const folder = join(ROOT, '.bench');

/** A base layer that all applications of a platform share, and one that changes by 3 %. */
function imageOf(application: string, platform: Platform, version: string) {
  const seed = 10 * APPLICATIONS.indexOf(application) + PLATFORMS.indexOf(platform);
  const own = noise(3_000_000, 40 + seed);
  const news = noise(100_000, 150 + [...BASES, NEW].indexOf(version));
  const layers = [
    { base: noise(10_000_000, 1 + PLATFORMS.indexOf(platform)) },
    { app: Buffer.concat([own, news]) },
  ];
  return buildImage({ platform, layers });
}

rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
const registry = await startMisbehavingRegistry();
const sizes = new Map<string, number>();
for (const application of APPLICATIONS) {
  mkdirSync(join(folder, application));
  const image = `${registry.host}/${application}:\${TAG}`;
  writeFileSync(
    join(folder, application, 'compose.yaml'),
    `name: ${application}\nservices: {web: {image: "${image}"}}\n`,
  );
  for (const version of [...BASES, NEW]) {
    const index = buildIndex(PLATFORMS.map((platform) => imageOf(application, platform, version)));
    for (const [digest, bytes] of index.blobs) sizes.set(digest, bytes.length);
    registry.add(application, version, index);
  }
}

/** Runs the tool under GNU time, with a cache of its own. */
async function run(cache: string, tag: string, argv: readonly string[]): Promise<BakeFigures> {
  const before = registry.seen.length;
  const env = { PATH: process.env['PATH'], HOME: folder, XDG_CACHE_HOME: join(folder, cache), TAG: tag };
  const figures = await timedBeside([process.execPath, tool, ...argv, '-q'], { cwd: folder, env });
  const seen = registry.seen.slice(before);
  const blobs = seen.filter(({ method, url }) => method === 'GET' && url.includes('/blobs/'));
  const fetched = blobs.reduce((sum, { url }) => sum + (sizes.get(url.split('/').at(-1) ?? '') ?? 0), 0);
  return { ...figures, requests: seen.length, fetched };
}

const fileOf = (application: string, platform: Platform, version: string): string =>
  `${application}-${version}-${platformWord(platform)}.mender`;

/** The artifacts that devices have. */
for (const version of BASES) {
  for (const application of APPLICATIONS) {
    const platforms = ['-p', PLATFORMS.map(formatPlatform).join(',')];
    const what = [
      'build',
      application,
      ...platforms,
      '--artifact-version',
      version,
      '--no-upload',
      '--no-delta',
    ];
    await run('bases', version, [...what, '--compression', 'none', ...SETUP]);
  }
}

/** One run for each platform and base, as jobs of a CI system. `cacheOf`: the cache of each run. */
async function measureRuns(cacheOf: (run: number) => string): Promise<BakeFigures> {
  const sum = { seconds: 0, processor: 0, peak: 0, requests: 0, fetched: 0 };
  let number = 0;
  for (const application of APPLICATIONS) {
    for (const platform of PLATFORMS) {
      for (const version of BASES) {
        const from = ['--base', fileOf(application, platform, version), '-a', `single-${number}.mender`];
        const where = ['-p', formatPlatform(platform), '--artifact-version', NEW, '--no-upload', '--force'];
        const one = await run(cacheOf(number), NEW, ['build', application, ...where, ...from, ...SETUP]);
        number += 1;
        for (const key of ['seconds', 'processor', 'requests', 'fetched'] as const) sum[key] += one[key];
        sum.peak = Math.max(sum.peak, one.peak);
      }
    }
  }
  return sum;
}

/** The same artifacts as targets of one bake file. */
function bakeFile(): string {
  const target = (application: string): string => {
    const bases = PLATFORMS.flatMap((platform) =>
      BASES.map((version) => fileOf(application, platform, version)),
    );
    return `  ${application}: {inherits: _all, manifest: ${application}, base: ${JSON.stringify(bases)}}`;
  };
  const platforms = JSON.stringify(PLATFORMS.map(formatPlatform));
  return [
    `group: {default: ${JSON.stringify(APPLICATIONS)}}`,
    'target:',
    `  _all: {device-type: qemu, module: app, writer: embedded, artifact-version: "${NEW}", platform: ${platforms}}`,
    ...APPLICATIONS.map(target),
    '',
  ].join('\n');
}

writeFileSync(join(folder, 'mender-bake.yaml'), bakeFile());
const bake = await run('cache-of-bake', NEW, ['bake', '--no-upload']);
const key = join(folder, 'key.pem');
execFileSync('openssl', ['genpkey', '-algorithm', 'ed25519', '-out', key]);
const shared = ['--cache-key', key, '--force'];
await run('cache-of-bake', NEW, ['bake', '--no-upload', '--cache-to', 'type=local,dest=shared', ...shared]);
const sharedCache = await run('cache-of-reader', NEW, [
  ...['bake', '--no-upload', '--cache-from', 'type=local,src=shared'],
  ...shared,
]);
const oneCache = await measureRuns(() => 'cache-of-all');
const emptyCaches = await measureRuns((number) => `cache-${number}`);
await registry.stop();
rmSync(folder, { recursive: true, force: true });
saveFigures('bake', { bake, sharedCache, oneCache, emptyCaches });
