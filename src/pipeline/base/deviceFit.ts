import type { DeviceReport } from '../../device/report.ts';
import { UnsupportedError } from '../../errors.ts';
import type { Log } from '../../io/log.ts';
import type { DeviceSetup, Module } from '../../mender/spec.ts';
import { MODULES } from '../../mender/spec.ts';
import { formatPlatform } from '../../oci/platform.ts';
import type { BuildRequest, SettledRequest } from '../request.ts';
import type { Baseline } from './baseImages.ts';
import { findVersion } from './versionKey.ts';

/** What a device runs of an application. */
export interface Running extends DeviceSetup {
  version: string;
}

/** Returns what the device says that it runs of `application`; undefined if it runs nothing. Pure. */
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
 * Returns the baselines that every device runs. An artifact for a device with another version must
 * be whole.
 */
export function baselinesOnDevices(
  baselines: readonly Baseline[],
  { devices }: Pick<BuildRequest, 'devices'>,
  application: string,
  log: Log,
): readonly Baseline[] {
  const versions = devices.map((device) => runningOn(device, application)?.version);
  const fitting = baselines.filter(({ metadata }) => versions.every((found) => found === metadata.version));
  const found = [...new Set(versions.map((version) => version ?? 'nothing'))].join(', ');
  if (fitting.length === 0)
    log.warning(`the device runs ${found} of ${application}: shipping everything whole`);
  return fitting;
}

/**
 * Throws UnsupportedError for an artifact that a reported device could not install. Returns what is
 * to be changed about the build: without xdelta3, or where no state script runs, no deltas.
 */
export function fitToDevices(
  request: SettledRequest,
  log: Log,
): Pick<SettledRequest, 'delta' | 'decodeOnDevice'> {
  for (const device of request.devices) refuseUnfit(device, request);
  const canDecode = request.devices.every(
    ({ xdelta3, scripts }) => xdelta3 !== undefined && (request.module === 'app' || scripts?.noexec !== true),
  );
  const { delta, decodeOnDevice, module } = request;
  if (canDecode || !delta || (module === 'docker-compose' && !decodeOnDevice))
    return { delta, decodeOnDevice };
  log.warning('a device has no xdelta3, or runs no state scripts: changed layers ship whole');
  return module === 'app' ? { delta: false, decodeOnDevice } : { delta, decodeOnDevice: false };
}

const ARCHITECTURES: Readonly<Record<string, string>> = {
  x86_64: 'amd64',
  aarch64: 'arm64',
  armv7l: 'arm',
  armv6l: 'arm',
  i686: '386',
  riscv64: 'riscv64',
};

function refuseUnfit(device: DeviceReport, { module, deviceTypes, platform }: SettledRequest): void {
  const refuse = (found: string, hint: string): never => {
    throw new UnsupportedError(`the device's report: ${found}`, { hint });
  };
  if (!Object.hasOwn(device.modules, module)) {
    const names = Object.keys(device.modules).join(', ') || 'no update module';
    refuse(`expected update module ${module}, found ${names}`, 'install it, or choose another with --module');
  }
  if (device.docker === undefined || device.docker.version === '') {
    refuse('Docker does not answer', 'start it, and run doctor --device again');
  }
  if (device.deviceType !== undefined && !deviceTypes.includes(device.deviceType)) {
    const expected = deviceTypes.join(', ');
    refuse(`expected device type ${expected}, found ${device.deviceType}`, 'give that type with -t');
  }
  const architecture = ARCHITECTURES[device.machine.split(' ').at(-1) ?? ''];
  if (architecture !== undefined && architecture !== platform.architecture) {
    const expected = formatPlatform(platform);
    refuse(`expected ${expected}, found ${device.machine}`, `build for it with -p linux/${architecture}`);
  }
}
