import type { FleetDevice } from './devices.ts';
import { judgeLast } from './lastArtifact.ts';
import { onlyKey } from './versionKeys.ts';

/** Devices of one version and type. */
export interface Population {
  /** Undefined if the devices report no version, several, or a broken update. */
  version: string | undefined;
  type: string | undefined;
  devices: number;
  /** ISO 8601: when the last of them was seen. */
  lastCheckIn: string | undefined;
}

/** What a fleet runs of one application. */
export interface Census {
  /** The key under which devices report the version. Undefined if no device does. */
  versionKey: string | undefined;
  devices: number;
  /** Most devices first. */
  populations: Population[];
}

/**
 * Counts devices by version and type. Holds one entry for each pair, and no device. `others`: the
 * names of the artifacts of other software. Throws UsageError if devices report versions of several
 * applications of this name.
 */
export async function takeCensus(
  application: string,
  keys: readonly string[],
  devices: AsyncIterable<FleetDevice>,
  others: ReadonlySet<string> = new Set(),
): Promise<Census> {
  const counts = new Map(keys.map((key) => [key, 0]));
  const found = new Map<string, Population>();
  let total = 0;
  for await (const device of devices) {
    total += 1;
    for (const key of Object.keys(device.versions)) counts.set(key, (counts.get(key) ?? 0) + 1);
    const isBroken = judgeLast(device, others) === 'broken';
    addDevice(found, device, isBroken ? undefined : versionOf(device));
  }
  const populations = [...found.values()].sort((a, b) => b.devices - a.devices);
  return { versionKey: onlyKey(application, counts), devices: total, populations };
}

function addDevice(found: Map<string, Population>, device: FleetDevice, version: string | undefined): void {
  const key = JSON.stringify([version, device.type]);
  const before = found.get(key) ?? { version, type: device.type, devices: 0, lastCheckIn: undefined };
  const lastCheckIn = later(before.lastCheckIn, device.checkIn);
  found.set(key, { ...before, devices: before.devices + 1, lastCheckIn });
}

/** The one version that a device reports. Undefined if it reports none, or several. Pure. */
export function versionOf({ versions }: Pick<FleetDevice, 'versions'>): string | undefined {
  const [version, ...more] = Object.values(versions).flat();
  return more.length === 0 ? version : undefined;
}

function later(a: string | undefined, b: string | undefined): string | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return Date.parse(a) >= Date.parse(b) ? a : b;
}
