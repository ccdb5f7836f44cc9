// The time and memory of `fleet status` over 100,000 devices, and of a rollout to devices with ten
// versions against ten builds.
//
//   scripts/bench fleet [DEVICES]
//
// Needs docker-registry and time (Debian packages). The Mender server is the stand-in of the tests,
// in this process.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildImage } from '../../test/helpers/images.ts';
import { Fleet } from '../../test/helpers/menderServer/fleet.ts';
import { startMenderServer } from '../../test/helpers/menderServer/start.ts';
import type { MenderServer } from '../../test/helpers/menderServer/menderServer.ts';
import type { Device } from '../../test/helpers/menderServer/state.ts';
import { noise } from '../../test/helpers/noise.ts';
import { push, startRegistry } from '../../test/helpers/registry.ts';
import type { ManyRequests } from './figures.ts';
import { ROOT, saveFigures } from './report.ts';
import { timedBeside } from './timed.ts';

const KEY = 'data-docker.mender-docker-compose.shop.version';
const VERSIONS = Array.from({ length: 10 }, (_, index) => `1.${index}`);
const TO = '2.0';
const MODULE = ['-m', 'shop', '-t', 'qemu', '-p', 'linux/amd64', '--module', 'docker-compose'];
const SETUP = ['compose.yaml', ...MODULE, '--writer', 'embedded', '-q'];
const tool = join(ROOT, 'bin/mender-docker-delta.js');
const folder = join(ROOT, '.bench');

/** Runs the tool under GNU time, with a cache of its own. */
async function run(server: MenderServer, cache: string, argv: readonly string[]): Promise<ManyRequests> {
  const before = server.calls.length;
  const env = {
    ...{ PATH: process.env['PATH'], HOME: folder, XDG_CACHE_HOME: join(folder, cache) },
    ...{ MENDER_PAT: server.token, MENDER_DOCKER_DELTA_MENDER_HOST: server.url },
  };
  const figures = await timedBeside([process.execPath, tool, ...argv], { cwd: folder, env });
  return { ...figures, requests: server.calls.length - before };
}

/** Devices of one group that have the versions by turns. */
function devicesOf(count: number): Device[] {
  return Array.from({ length: count }, (_, index) => {
    const id = `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`;
    return { id, type: 'qemu', group: 'g', provides: { [KEY]: VERSIONS[index % VERSIONS.length]! } };
  });
}

async function measureStatus(devices: number): Promise<ManyRequests> {
  const server = await startMenderServer({ devices: devicesOf(devices) });
  const figures = await run(server, 'cache', ['fleet', 'status', 'shop', '--json']);
  await server.close();
  return figures;
}

function writeManifest(host: string, tag: string): void {
  writeFileSync(join(folder, 'compose.yaml'), `services:\n  web: {image: "${host}/shop/web:${tag}"}\n`);
}

/** A large base layer that all versions share, and an application that changes by 2 %. */
async function pushReleases(host: string): Promise<void> {
  const base = noise(20_000_000, 1);
  for (const [index, tag] of [...VERSIONS, TO].entries()) {
    const app = Buffer.concat([noise(5_000_000, 2), noise(100_000, 10 + index)]);
    await push(host, 'shop/web', tag, buildImage({ layers: [{ base }, { app }] }));
  }
}

/** Devices take what they are offered at once. */
async function measureRollout(server: MenderServer): Promise<ManyRequests> {
  const chances = { failure: 0, late: 0, vanish: 0, other: 0 };
  const fleet = new Fleet(server, { key: KEY, random: () => 0.75, chances });
  const moving = setInterval(() => fleet.step(), 100);
  const where = ['--artifact-version', TO, '-g', 'g', '--poll-interval', '1s'];
  const figures = await run(server, 'cache-of-rollout', ['rollout', ...SETUP, ...where]);
  clearInterval(moving);
  return figures;
}

/** One build for each version, as in ten CI jobs with empty caches. */
async function measureBuilds(server: MenderServer): Promise<ManyRequests> {
  const sum = { seconds: 0, processor: 0, peak: 0, requests: 0 };
  for (const version of VERSIONS) {
    const from = ['--base', `shop-${version}.mender`, '-a', `${version}-to-${TO}.mender`];
    const argv = ['build', ...SETUP, '--artifact-version', TO, '--no-upload', ...from];
    const one = await run(server, `cache-of-${version}`, argv);
    sum.seconds += one.seconds;
    sum.processor += one.processor;
    sum.peak = Math.max(sum.peak, one.peak);
  }
  return sum;
}

const [devices = 100_000] = process.argv.slice(2).map(Number);
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
const status = await measureStatus(devices);
const registry = await startRegistry();
const server = await startMenderServer({ devices: devicesOf(1000) });
await pushReleases(registry.host);
for (const version of VERSIONS) {
  writeManifest(registry.host, version);
  await run(server, 'cache', ['build', ...SETUP, '--artifact-version', version, '--no-delta', '--upload']);
}
writeManifest(registry.host, TO);
const rollout = await measureRollout(server);
const builds = await measureBuilds(server);
await server.close();
await registry.stop();
rmSync(folder, { recursive: true, force: true });
saveFigures('fleet', { devices, status, rollout, builds });
