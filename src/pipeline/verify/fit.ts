import type { DeviceReport } from '../../device/report.ts';
import { UnsupportedError } from '../../errors.ts';
import { formatBytes } from '../../io/amounts.ts';
import type { DeviceEstimate } from './estimate.ts';

/** What the devices have for an update. In bytes; undefined where it is unknown. */
export interface DeviceLimits {
  /** Free disk where Docker keeps its images. */
  free?: number | undefined;
  /** Free memory. */
  memory?: number | undefined;
  /** Docker's image store; both are possible where it is unknown. */
  store?: Store | undefined;
}

type Store = 'classic' | 'containerd';

/** Returns what of the estimate goes beyond the limits, one sentence each. Pure. */
export function fitProblems(estimate: DeviceEstimate, limits: readonly DeviceLimits[]): string[] {
  return [
    ...new Set(
      limits.flatMap((limit) => [...diskProblems(estimate, limit), ...memoryProblems(estimate, limit)]),
    ),
  ];
}

/** The error of an artifact with such problems. */
export function unfitError(path: string, problems: readonly string[]): UnsupportedError {
  return new UnsupportedError(`${path} does not fit the devices: ${problems.join('; ')}`, {
    hint: 'make the images smaller, or room on the devices',
  });
}

function diskProblems(estimate: DeviceEstimate, { free, store }: DeviceLimits): string[] {
  if (free === undefined) return [];
  const stores: Store[] = store === undefined ? ['classic', 'containerd'] : [store];
  return stores
    .filter((one) => estimate[one].peakBytes > free)
    .map((one) => {
      const [needed, found] = [estimate[one].peakBytes, free].map(formatBytes);
      return `the update needs ${needed} of free disk with Docker's ${one} store, and the devices have ${found}`;
    });
}

function memoryProblems({ leastMemoryBytes }: DeviceEstimate, { memory }: DeviceLimits): string[] {
  if (memory === undefined || leastMemoryBytes <= memory) return [];
  const [needed, found] = [leastMemoryBytes, memory].map(formatBytes);
  return [`decoding needs ${needed} of memory, and the devices have ${found} free`];
}

/**
 * Returns what the user says of all devices, and what the probe found on each. Parts that nobody
 * knows limit nothing. Pure.
 */
export function deviceLimitsOf({ devices, deviceFree, deviceMemory }: Known): DeviceLimits[] {
  const probed = devices.map(({ store, memory }) => ({
    free: store?.place?.free,
    memory: memory?.free,
    store: store?.kind,
  }));
  const stores = new Set(probed.map(({ store }) => store));
  const [store] = stores.size === 1 ? stores : [];
  return [{ free: deviceFree, memory: deviceMemory, store }, ...probed];
}

interface Known {
  devices: readonly DeviceReport[];
  deviceFree?: number | undefined;
  deviceMemory?: number | undefined;
}
