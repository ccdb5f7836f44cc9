import type { DeviceReport, NamedReport } from '../../device/report.ts';
import type { Log } from '../../io/log.ts';
import { brokenArtifact } from '../../mender/brokenArtifact.ts';
import type { DeviceSetup, Module } from '../../mender/spec.ts';
import { MODULES } from '../../mender/spec.ts';
import { hasDecoder } from '../../mender/onDevice/carriedDecoder.ts';
import { formatPlatform } from '../../oci/platform.ts';
import type { BuildRequest, DecoderChoice, SettledRequest } from '../request.ts';
import type { Baseline } from './baseImages.ts';
import { findVersion } from './versionKey.ts';

/** What a device runs of an application. */
export interface Running extends DeviceSetup {
  version: string;
}

/**
 * Returns what the device says that it runs of `application`; undefined if it runs nothing. Pure.
 */
export function runningOn({ provides }: DeviceReport, application: string): Running | undefined {
  for (const module of MODULES) {
    const found = findVersion(provides, module, application);
    if (found === undefined) continue;
    const { version, softwareFilesystem } = found;
    return { version, module, softwareFilesystem };
  }
  return undefined;
}

/**
 * Fills in the module and the software filesystem that the devices have, if the user does not say
 * them. Devices that run nothing yet and have one known module get that.
 */
export function withDeviceSetup<Request extends BuildRequest>(
  request: Request,
  application: string,
): Request {
  const [first] = request.devices;
  if (first === undefined) return request;
  const running = runningOn(first, application);
  const module = request.module ?? running?.module ?? onlyModule(first);
  const softwareFilesystem =
    request.softwareFilesystem ?? (running?.module === module ? running?.softwareFilesystem : undefined);
  return { ...request, module, softwareFilesystem };
}

function onlyModule({ modules }: DeviceReport): Module | undefined {
  const known = MODULES.filter((module) => Object.hasOwn(modules, module));
  return known.length === 1 ? known[0] : undefined;
}

/**
 * Returns the baselines that every device runs. An artifact must be whole for a device with another
 * version, and for one whose last update failed and was not undone.
 */
export function baselinesOnDevices(
  baselines: readonly Baseline[],
  { devices }: Pick<BuildRequest, 'devices'>,
  application: string,
  log: Log,
): readonly Baseline[] {
  const versions = devices.map((device) => sureVersion(device, application));
  const fitting = baselines.filter(({ metadata }) => versions.every((found) => found === metadata.version));
  const found = devices.map((device, index) => versions[index] ?? noVersionText(device));
  if (fitting.length === 0) {
    log.warning(
      `the device runs ${[...new Set(found)].join(', ')} of ${application}: shipping everything whole`,
    );
  }
  return fitting;
}

/** The version of the application that a device runs for sure. */
function sureVersion(device: DeviceReport, application: string): string | undefined {
  return isBroken(device) ? undefined : runningOn(device, application)?.version;
}

function noVersionText(device: DeviceReport): string {
  return isBroken(device) ? 'an unknown version (its last update failed)' : 'nothing';
}

function isBroken({ provides }: DeviceReport): boolean {
  return brokenArtifact(provides['artifact_name']) !== undefined;
}

/**
 * Returns what is to be changed about the build for the reported devices: a carried decoder where
 * they have no xdelta3, and no deltas where neither runs.
 */
export function fitToDevices(
  request: SettledRequest,
  log: Log,
): Pick<SettledRequest, 'delta' | 'decodeOnDevice' | 'decoder'> {
  const { delta, decodeOnDevice, module, decoder } = request;
  if (!delta || (module === 'docker-compose' && !decodeOnDevice)) return { delta, decodeOnDevice, decoder };
  const fitting = fittingDecoder(request);
  if (fitting !== undefined) return { delta, decodeOnDevice, decoder: fitting };
  log.warning(`changed layers ship whole: ${obstaclesOf(request).join('; ')}${wayOut(request)}`);
  return module === 'app'
    ? { delta: false, decodeOnDevice, decoder }
    : { delta, decodeOnDevice: false, decoder };
}

/** The choice of decoders that all reported devices can run; undefined if there is none. */
function fittingDecoder({ devices, module, platform, decoder }: SettledRequest): DecoderChoice | undefined {
  const haveXdelta3 = devices.every(({ xdelta3 }) => xdelta3 !== undefined);
  if (module === 'app') return haveXdelta3 ? decoder : undefined;
  if (devices.some(({ scripts }) => scripts?.noexec === true)) return undefined;
  if (decoder === 'xdelta3') return haveXdelta3 ? decoder : undefined;
  if (decoder === 'carried') return decoder;
  const runCarried = hasDecoder(platform) && devices.every(runsPrograms);
  if (haveXdelta3) return runCarried ? 'auto' : 'xdelta3';
  return runCarried ? 'carried' : undefined;
}

/** Why deltas are of no use on the devices, one text for each device that is a reason. */
function obstaclesOf(request: SettledRequest): string[] {
  return request.devices.flatMap((device) => {
    const found = obstaclesOn(device, request);
    return found.length === 0 ? [] : [`${device.origin}: it ${found.join(', and ')}`];
  });
}

function obstaclesOn(device: NamedReport, { module, decoder, platform }: SettledRequest): string[] {
  const { scripts, xdelta3 } = device;
  if (module !== 'app' && scripts?.noexec === true) {
    return [`runs no state scripts (${scripts.path} is mounted noexec)`];
  }
  const lacks = xdelta3 === undefined ? ['has no xdelta3'] : [];
  if (module === 'app' || decoder === 'xdelta3') return lacks;
  if (decoder === 'carried') return [];
  if (!runsPrograms(device)) return [...lacks, 'runs no program that an artifact brings (noexec)'];
  if (lacks.length === 0 || hasDecoder(platform)) return lacks;
  return [...lacks, `there is no decoder for ${formatPlatform(platform)}`];
}

/** What would let the deltas ship after all; empty if nothing would. */
function wayOut(request: SettledRequest): string {
  const isOwnChoice = request.decoder === 'xdelta3' && request.module !== 'app';
  if (!isOwnChoice || fittingDecoder({ ...request, decoder: 'auto' }) === undefined) return '';
  return '. Unless the decoder is set to xdelta3, the artifact carries one';
}

/**
 * Warns of a device that reports a version of the application that no artifact is for. It refuses
 * them, unless it runs the version of the artifact. `bases`: the versions that the artifacts depend
 * on; undefined for a full one.
 */
export function warnOfOtherVersions(
  bases: readonly (string | undefined)[],
  { devices }: Pick<BuildRequest, 'devices'>,
  { application, version }: { application: string; version: string },
  log: Log,
): void {
  if (bases.includes(undefined)) return;
  for (const device of devices) {
    const found = runningOn(device, application)?.version;
    if (found === undefined || found === version || bases.includes(found)) continue;
    log.warning(
      `${device.origin}: it runs ${found} of ${application}, and the artifact is for ${bases.join(', ')}. It refuses the artifact: build against ${found} as well, or in full`,
    );
  }
}

/**
 * True if a device runs programs that an artifact brings: neither place is mounted noexec. Pure.
 */
export function runsPrograms({ work, scripts }: DeviceReport): boolean {
  return [work, scripts].every((place) => place?.noexec !== true);
}
