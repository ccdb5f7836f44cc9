import { devicePlatform, mayRunImages, runsImages } from '../../device/platform.ts';
import type { DeviceReport, NamedReport } from '../../device/report.ts';
import { UnsupportedError } from '../../errors.ts';
import type { Hint } from '../../errors.ts';
import type { Log } from '../../io/log.ts';
import { formatPlatform } from '../../oci/platform.ts';
import type { SettledRequest } from '../request.ts';
import { judgeDevice } from './judgeDevice.ts';

type Wanted = Pick<SettledRequest, 'module' | 'deviceTypes' | 'platform'>;

/** What a device can't install. */
interface Misfit {
  found: string;
  hint: Hint;
}

/**
 * Throws UnsupportedError for an artifact that a reported device could not install. Warns where the
 * report leaves a doubt.
 */
export function refuseUnfit(devices: readonly NamedReport[], wanted: Wanted, log: Log): void {
  for (const device of devices) {
    const misfit =
      moduleMisfit(device, wanted) ??
      dockerMisfit(device) ??
      typeMisfit(device, wanted) ??
      platformMisfit(device, wanted, log) ??
      judgedMisfit(device);
    if (misfit === undefined) continue;
    throw new UnsupportedError(`${device.origin}: ${misfit.found}`, { hint: misfit.hint });
  }
}

function moduleMisfit({ modules }: DeviceReport, { module }: Wanted): Misfit | undefined {
  if (Object.hasOwn(modules, module)) return undefined;
  const names = Object.keys(modules).join(', ') || 'no update module';
  return {
    found: `expected update module ${module}, found ${names}`,
    hint: ({ option }) => `install it, or choose another with ${option('module')}`,
  };
}

function dockerMisfit({ docker }: DeviceReport): Misfit | undefined {
  if (docker !== undefined && docker.version !== '') return undefined;
  return {
    found: 'Docker does not answer',
    hint: 'start it, and run mender-docker-delta doctor --device again, as root',
  };
}

function typeMisfit({ deviceType }: DeviceReport, { deviceTypes }: Wanted): Misfit | undefined {
  if (deviceType === undefined || deviceTypes.includes(deviceType)) return undefined;
  const expected = deviceTypes.join(', ');
  return {
    found: `expected device type ${expected}, found ${deviceType}`,
    hint: ({ option }) => `give that type with ${option('device-type')}`,
  };
}

function platformMisfit(device: NamedReport, { platform }: Wanted, log: Log): Misfit | undefined {
  const found = devicePlatform(device);
  const [expected, machine] = [formatPlatform(platform), device.machine || 'an unknown machine'];
  const runs = found && runsImages(found, platform);
  if (found === undefined || (runs === 'no' && mayRunImages(device, found, platform))) {
    log.warning(`${device.origin}: nobody knows whether ${machine} runs images for ${expected}`);
    return undefined;
  }
  if (runs === 'maybe') {
    log.warning(
      `${device.origin}: ${formatPlatform(found)} runs images for ${expected} only with a 32-bit mode`,
    );
  }
  if (runs !== 'no') return undefined;
  return {
    found: `expected ${expected}, found ${formatPlatform(found)} (${machine})`,
    hint: ({ option }) => `build for it with ${option('platform', formatPlatform(found))}`,
  };
}

/**
 * What no build makes up for. Other problems may be those of the probe: a device may keep its type
 * elsewhere, for example.
 */
const FATAL: ReadonlySet<string> = new Set(['Compose', 'tools', 'work folder', 'image store']);

/** Takes the time of the report as now: the report may be old. */
function judgedMisfit(report: DeviceReport): Misfit | undefined {
  const isFatal = (check: string) =>
    FATAL.has(check) || (check === 'Mender client' && report.client === undefined);
  const problems = judgeDevice(report, report.clock ?? 0).filter(
    ({ state, check }) => state === 'problem' && isFatal(check),
  );
  if (problems.length === 0) return undefined;
  return {
    found: problems.map(({ check, found }) => `${check}: ${found}`).join('; '),
    hint: problems.map(({ todo }) => todo ?? '').join('; '),
  };
}
