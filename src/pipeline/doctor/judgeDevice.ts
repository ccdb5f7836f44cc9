import type { DevicePlace, DeviceReport } from '../../device/report.ts';
import { versionsOf } from '../../device/report.ts';
import { devicePlatform } from '../../device/platform.ts';
import { hasDecoder } from '../../mender/onDevice/carriedDecoder.ts';
import { formatBytes } from '../../io/amounts.ts';
import { runsPrograms } from '../base/deviceFit.ts';
import type { CheckResult } from './finding.ts';
import { ok, problem, warning } from './finding.ts';

/** Older ones save images in another layout. */
const OLDEST_DOCKER = 25;
/** Bytes that an update of a small application needs. */
const LITTLE_DISK = 500e6;
/** Bytes that xdelta3 takes with the settings of a delta. */
const LITTLE_MEMORY = 96e6;
/** Seconds. */
const SLOW_CLOCK = 300;

/**
 * Says what of a device is fine for updates, and what is not. `now` in seconds since 1970. Pure.
 */
export function judgeDevice(report: DeviceReport, now: number): CheckResult[] {
  return [
    userFinding(report),
    clientFinding(report),
    moduleFinding(report),
    ...dockerFindings(report),
    ...storeFindings(report),
    decoderFinding(report),
    ...toolFindings(report),
    ...placeFindings('work folder', report.work),
    ...(report.scripts?.noexec === true ? [noexec(report.scripts)] : []),
    memoryFinding(report),
    clockFinding(report, now),
    ...Object.entries(versionsOf(report)).map(([key, version]) => ok('version', `${key}=${version}`)),
  ];
}

function userFinding({ isRoot }: DeviceReport): CheckResult {
  return isRoot
    ? ok('user', 'root')
    : warning('user', 'not root', 'log in as root: other users may not ask Docker and the Mender client');
}

function clientFinding({ client, deviceType }: DeviceReport): CheckResult {
  const install = 'install the package mender-client4 or mender-update';
  if (client === undefined) return problem('Mender client', 'not found', install);
  const found = `${client.name} ${client.version}`.trim();
  if (deviceType === undefined) {
    return problem('Mender client', `${found}, no device type`, 'set it in /var/lib/mender/device_type');
  }
  return ok('Mender client', `${found}, device type ${deviceType}`);
}

function moduleFinding({ modules }: DeviceReport): CheckResult {
  const names = ['docker-compose', 'app'].filter((name) => Object.hasOwn(modules, name));
  if (names.length > 0) return ok('update module', names.join(', '));
  const todo = 'install the package mender-docker-compose';
  return problem('update module', 'neither docker-compose nor app', todo);
}

function dockerFindings({ docker }: DeviceReport): CheckResult[] {
  if (docker === undefined) return [problem('Docker', 'not found', 'install Docker 25 or newer')];
  const { command, version, api, compose } = docker;
  const found = `${command} ${version}`.trim();
  if (version === '') {
    return [problem('Docker', `${found} does not answer`, 'start it: systemctl enable --now docker')];
  }
  const isOld = command === 'docker' && Number.parseInt(version, 10) < OLDEST_DOCKER;
  return [
    isOld
      ? warning(
          'Docker',
          `${found}, API ${api}`,
          'install Docker 25 or newer: older ones save other archives',
        )
      : ok('Docker', `${found}, API ${api}`),
    compose === undefined
      ? problem('Compose', 'no `docker compose`', 'install Compose 2, the plugin of docker')
      : ok('Compose', compose),
  ];
}

/** Docker's data-root does not move the content of the containerd store. */
function storeFindings({ store }: DeviceReport): CheckResult[] {
  if (store === undefined) return [];
  const { kind, place } = store;
  if (place === undefined) {
    return [warning('image store', `${kind}, content not found`, 'say where containerd keeps its root')];
  }
  const found = `${kind}, ${place.path} on ${place.mount}`;
  if (place.mount !== '/') return [ok('image store', found), ...placeFindings('image store', place)];
  const moved = kind === 'containerd' ? 'root in /etc/containerd/config.toml' : 'data-root of Docker';
  const todo = `an update of the root file system loses the images: set ${moved} to the data partition, or build with --software-filesystem rootfs-image`;
  return [
    warning('image store', `${found}, the root file system`, todo),
    ...placeFindings('image store', place),
  ];
}

/** Artifacts for module docker-compose can carry a decoder of their own. */
function decoderFinding(report: DeviceReport): CheckResult {
  const { xdelta3 } = report;
  if (xdelta3 === undefined && runsCarried(report)) {
    return ok('xdelta3', 'not found (not needed: artifacts carry a decoder with --decoder carried)');
  }
  if (xdelta3 === undefined) {
    return warning('xdelta3', 'not found', 'install xdelta3, or build with --no-delta');
  }
  const version = /\d+(\.\d+)+/.exec(xdelta3.version)?.[0] ?? xdelta3.version;
  return ok('xdelta3', `${version}, ${xdelta3.lzma ? 'with' : 'without'} lzma (not needed)`);
}

function runsCarried(report: DeviceReport): boolean {
  const platform = devicePlatform(report);
  const hasOwnDecoder = platform !== undefined && hasDecoder(platform);
  return hasOwnDecoder && runsPrograms(report) && Object.hasOwn(report.modules, 'docker-compose');
}

function toolFindings({ tools, modules }: DeviceReport): CheckResult[] {
  const needsTree = Object.hasOwn(modules, 'app') && !Object.hasOwn(modules, 'docker-compose');
  const needed = ['gzip', 'tar', 'sha256sum', 'jq', ...(needsTree ? ['tree'] : [])];
  const missing = needed.filter((name) => !Object.hasOwn(tools, name));
  if (missing.length > 0) {
    return [problem('tools', `no ${missing.join(', ')}`, `install ${missing.join(', ')}`)];
  }
  const kinds = needed.map((name) => `${name} (${tools[name] ?? ''})`);
  return [ok('tools', kinds.join(', '))];
}

function placeFindings(check: string, place: DevicePlace | undefined): CheckResult[] {
  if (place === undefined) return [];
  if (place.readonly) return [problem(check, `${place.path} is read-only`, 'mount it writable')];
  if (place.free === undefined) return [warning(check, `${place.path}: free disk unknown`, 'look at df')];
  const found = `${formatBytes(place.free)} free in ${place.path}`;
  if (place.free >= LITTLE_DISK) return [ok(check, found)];
  return [warning(check, found, 'compare it with what verify says that an artifact needs')];
}

function noexec({ path, mount }: DevicePlace): CheckResult {
  const todo = 'mount it without noexec, or build with --decode-on-device never';
  return problem('state scripts', `${path} on ${mount} is mounted noexec`, todo);
}

function memoryFinding({ memory }: DeviceReport): CheckResult {
  if (memory === undefined) return warning('memory', 'unknown', 'look into /proc/meminfo');
  const found = `${formatBytes(memory.free)} free of ${formatBytes(memory.total)}`;
  if (memory.free >= LITTLE_MEMORY) return ok('memory', found);
  return warning('memory', found, 'compare it with what verify says that an artifact needs');
}

function clockFinding({ clock }: DeviceReport, now: number): CheckResult {
  if (clock === undefined) return warning('clock', 'unknown', 'look at date');
  const difference = Math.round(Math.abs(clock - now));
  if (difference < SLOW_CLOCK) return ok('clock', 'right');
  return problem('clock', `${difference} s away from this machine's`, 'set it: certificates depend on it');
}
