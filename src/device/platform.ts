import type { Platform } from '../oci/platform.ts';
import { choosePlatform, normalized } from '../oci/platform.ts';
import type { DeviceReport } from './report.ts';

/** What uname calls machines whose architecture it tells whole: mips64 may have two byte orders. */
const MACHINE = /^(x86_64|aarch64|armv5l|armv[678]l|i[3-6]86|riscv64|ppc64le|s390x|loongarch64)$/;

/**
 * 32-bit images that 64-bit devices can run, if their processor and kernel still have that mode.
 */
const NARROWER: ReadonlyMap<string, Platform> = new Map([
  ['arm64', { os: 'linux', architecture: 'arm', variant: 'v8' }],
  ['amd64', { os: 'linux', architecture: '386' }],
]);

/**
 * Returns the platform of images that a device runs: Docker's own where the report says it, as a
 * 64-bit kernel may have 32-bit programs, or else the kernel's. Undefined if neither is known.
 * Pure.
 */
export function devicePlatform({ machine, docker }: DeviceReport): Platform | undefined {
  const kernel = kernelPlatform(machine);
  const [os = '', architecture = ''] = docker?.platform?.split('/') ?? [];
  if (os === '' || architecture === '') return kernel;
  // Docker does not tell a variant, and the kernel's holds for programs of its architecture.
  return kernel?.architecture === architecture ? kernel : normalized({ os, architecture });
}

function kernelPlatform(machine: string): Platform | undefined {
  // Such as armv5tejl.
  const word = (machine.split(' ').at(-1) ?? '').replace(/^armv5\w*$/, 'armv5l');
  return MACHINE.test(word) ? normalized({ os: 'linux', architecture: word }) : undefined;
}

/**
 * True if a device may run images for `want` although its platform `have` does not say so: its
 * kernel has more bits than its Docker, or nobody tells the variant of a 64-bit processor.
 */
export function mayRunImages({ machine }: DeviceReport, have: Platform, want: Platform): boolean {
  const kernel = kernelPlatform(machine);
  const isVariant = have.architecture === want.architecture && NARROWER.has(want.architecture);
  return isVariant || (kernel !== undefined && runsImages(kernel, want) === 'yes');
}

/** Whether a device of the platform `have` runs images for `want`. */
export function runsImages(have: Platform, want: Platform): 'yes' | 'maybe' | 'no' {
  if (choosePlatform([want], have) >= 0) return 'yes';
  const narrower = NARROWER.get(have.architecture);
  return narrower !== undefined && choosePlatform([want], narrower) >= 0 ? 'maybe' : 'no';
}
