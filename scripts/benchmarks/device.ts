// Measures what an update costs a device: the disk it needs, what it writes, how long the
// application is down, and the memory of the decoder. The device has a file system of its own.
// Release 1 runs, and release 2 is installed as a full artifact and as a delta, on both image
// stores.
//
//   scripts/bench device [SCALE] [PROGRAM]
//
// SCALE: 1 for images of 457 MB (default), 0.1 for a quick look. PROGRAM: another version of
// bin/mender-docker-delta.js. Needs root, the test device (scripts/device/build), and e2fsprogs.
import { execFileSync } from 'node:child_process';
import { createCipheriv } from 'node:crypto';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Disk } from '../../test/e2e/disk.ts';
import { makeDisk } from '../../test/e2e/disk.ts';
import { watch } from '../../test/e2e/watch.ts';
import type { TestImage } from '../../test/mender/onDevice/images.ts';
import { archiveImage, imageOf, layerOf } from '../../test/mender/onDevice/images.ts';
import type { DeviceFigures } from './figures.ts';
import { ROOT, saveFigures } from './report.ts';

const MB = 1_000_000;
const scale = Number(process.argv[2] ?? 1);
const program = resolve(process.argv[3] ?? join(ROOT, 'bin/mender-docker-delta.js'));
const folder = mkdtempSync(join(tmpdir(), 'bench-device-'));
const rootfs = join(process.env['DEVICE_HOME'] ?? join(ROOT, '.device'), 'rootfs');

type Services = Record<string, TestImage>;

/** `size` MB that compress to a third, the same for the same seed. */
function content(seed: number, size: number): Buffer {
  const key = Buffer.alloc(16, seed % 251);
  const bytes = createCipheriv('aes-128-ctr', key, Buffer.alloc(16, seed)).update(
    Buffer.alloc(size * MB * scale),
  );
  for (let at = 0; at < bytes.length; at += 3072)
    bytes.fill(at >> 12, Math.min(at + 1024, bytes.length), Math.min(at + 3072, bytes.length));
  return bytes;
}

/** The files of a layer in 40 parts; each release changes a few bytes in every tenth of them. */
function files(name: string, seed: number, size: number, release: number): Record<string, Buffer> {
  const parts = Array.from({ length: 40 }, (_, part): [string, Buffer] => {
    const bytes = content(seed * 40 + part, size / 40);
    if (release > 1 && part % 10 === 0) bytes.write(`release ${release}`, Math.floor(bytes.length / 2));
    return [`${name}/${part}`, bytes];
  });
  return Object.fromEntries(parts);
}

const busybox = { 'bin/busybox': readFileSync(join(rootfs, 'usr/bin/busybox')) };

/** One image of three layers, of which the upper two change. */
async function one(release: number): Promise<Services> {
  const layers = [
    await layerOf(folder, { ...busybox, ...files('base', 1, 294, 1) }),
    await layerOf(folder, files('app', 2, 189, release)),
    await layerOf(folder, { version: String(release) }),
  ];
  return { web: imageOf(`web:${release}`, layers) };
}

/** Ten images that share a changed layer of 40 MB, each with a changed layer of its own. */
async function ten(release: number): Promise<Services> {
  const base = await layerOf(folder, busybox);
  const shared = await layerOf(folder, files('shared', 3, 40, release));
  const services: Services = {};
  for (let number = 0; number < 10; number += 1) {
    const own = await layerOf(folder, files('own', 10 + number, 12, release));
    services[`service-${number}`] = imageOf(`service-${number}:${release}`, [base, shared, own]);
  }
  return services;
}

async function build(name: string, services: Services, release: number, base?: string): Promise<string> {
  const home = join(folder, name);
  mkdirSync(home, { recursive: true });
  const lines = Object.entries(services).map(
    ([service, image]) => `  ${service}:\n    image: ${image.name}\n`,
  );
  writeFileSync(join(home, 'compose.yaml'), `services:\n${lines.join('')}`);
  const archives: string[] = [];
  for (const [service, image] of Object.entries(services)) {
    await archiveImage(image, join(home, `${service}.tar`));
    archives.push('-f', `${service}=${service}.tar`);
  }
  const artifact = join(home, 'release.mender');
  const options = [
    '-t',
    'edge-device',
    '-p',
    'linux/amd64',
    '-m',
    'bench',
    '-a',
    artifact,
    '--artifact-version',
    String(release),
  ];
  const more = [
    '--module',
    'docker-compose',
    '--mode',
    'offline',
    '--cache-dir',
    join(folder, 'cache'),
    '--no-upload',
  ];
  const from = base === undefined ? ['--no-delta'] : ['--base', base];
  execFileSync(
    process.execPath,
    [program, 'build', 'compose.yaml', ...options, ...more, ...archives, ...from],
    { cwd: home, stdio: ['ignore', 'ignore', 'inherit'] },
  );
  rmSync(join(home, 'cache'), { recursive: true, force: true });
  return artifact;
}

type Cost = Omit<DeviceFigures, 'application' | 'artifact' | 'store' | 'bytes' | 'own'>;

const script = (home: string, name: string, ...argv: string[]): string =>
  execFileSync(join(ROOT, 'scripts/device', name), argv, {
    env: { ...process.env, DEVICE_HOME: home },
    encoding: 'utf8',
    maxBuffer: 64 << 20,
    stdio: ['ignore', 'pipe', 'pipe'],
  });

/**
 * Seconds from the end of the first container to the start of the last one, since a time in
 * milliseconds.
 */
function downTime(home: string, name: string, since: number): number {
  const events = containerEvents(home, name, Math.floor(since / 1000)).filter(
    ({ time }) => time * 1000 >= since,
  );
  const died = events.filter(({ action }) => action === 'die').map(({ time }) => time);
  const started = events.filter(({ action }) => action === 'start').map(({ time }) => time);
  return Math.max(...started) - Math.min(...died);
}

/** The down time when the application that runs is stopped and started by hand. */
function ownDownTime(home: string, name: string): number {
  const since = Date.now();
  const compose = 'docker compose --project-name bench';
  const line = `cd /data/mender-docker-compose/current/manifests && ${compose} down && ${compose} up --detach`;
  script(home, 'run', '-n', name, 'sh', '-c', line);
  return downTime(home, name, since);
}

function containerEvents(home: string, name: string, since: number): { time: number; action: string }[] {
  const format = '{{.TimeNano}} {{.Action}}';
  const lines = script(
    home,
    'run',
    '-n',
    name,
    'docker',
    'events',
    '--since',
    String(since),
    '--until',
    String(Math.ceil(Date.now() / 1000)),
    '--filter',
    'type=container',
    '--format',
    format,
  );
  return lines
    .trim()
    .split('\n')
    .map((line) => ({ time: Number(line.split(' ')[0]) / 1e9, action: line.split(' ')[1] ?? '' }));
}

/** Installs an artifact, and watches the disk. */
async function install(disk: Disk, name: string, artifact: string): Promise<Cost> {
  const upload = join(disk.home, 'dev', name, 'data/release.mender');
  const used = disk.used();
  copyFileSync(artifact, upload);
  const since = Date.now();
  const line = 'mender --no-syslog install /data/release.mender && mender --no-syslog commit';
  const command = [join(ROOT, 'scripts/device/run'), '-n', name, 'sh', '-c', line];
  const watched = await watch(disk, name, command);
  const { code, output, seconds, peak, written, memory } = watched;
  if (code !== 0) throw new Error(output);
  if (process.env['BENCH_VERBOSE'])
    console.log(
      output
        .split('\n')
        .filter((line) => /mender-docker-delta/.test(line))
        .join('\n'),
    );
  const down = downTime(disk.home, name, since);
  rmSync(upload);
  return { seconds, down, peak, grown: disk.used() - used, written, memory };
}

async function measure(
  application: string,
  store: string,
  kind: string,
  first: string,
  second: string,
): Promise<DeviceFigures> {
  const disk = makeDisk(rootfs, Math.ceil(1500 + 4500 * scale));
  const name = store === 'containerd' ? 'bench-ctd' : 'bench-classic';
  try {
    script(disk.home, 'up', name);
    await install(disk, name, first);
    const cost = await install(disk, name, second);
    const own = ownDownTime(disk.home, name);
    return { application, artifact: kind, store, bytes: statSync(second).size, own, ...cost };
  } finally {
    script(disk.home, 'down', name);
    disk.remove();
  }
}

try {
  const figures: DeviceFigures[] = [];
  for (const [application, make] of Object.entries({ one, ten })) {
    const [v1, v2] = [await make(1), await make(2)];
    const first = await build(`${application}-1`, v1, 1);
    const full = await build(`${application}-2`, v2, 2);
    const delta = await build(`${application}-2-delta`, v2, 2, first);
    for (const store of ['classic', 'containerd']) {
      figures.push(await measure(application, store, 'full', first, full));
      figures.push(await measure(application, store, 'delta', first, delta));
    }
  }
  saveFigures('device', figures);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
