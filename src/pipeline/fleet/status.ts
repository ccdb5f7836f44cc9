import type { Census, Population } from './census.ts';
import type { ReleaseArtifact } from './releaseArtifacts.ts';
import { smallestFor } from './releaseArtifacts.ts';

/** What an update would send to the devices of one version and type. */
export interface VersionStatus {
  /** Null if the devices report no version, several, or a broken update. */
  version: string | null;
  deviceType: string | null;
  devices: number;
  lastCheckIn: string | null;
  /** How the server serves them. `current`: they have the version already. */
  served: 'current' | 'delta' | 'full' | 'missing';
  /** The artifact that serves them. */
  artifact: { id: string; name: string; size: number } | null;
  /** Bytes for all of them. Null if no artifact serves them. */
  bytes: number | null;
}

/** A fleet, and what the artifacts of one version do for it. */
export interface FleetStatus {
  application: string;
  /** Null if no device reports a version. */
  versionKey: string | null;
  /** Null for all devices. */
  group: string | null;
  /** The version that an update would bring. Null if the server has no artifact of it. */
  to: string | null;
  devices: number;
  versions: VersionStatus[];
  /** Bytes for all devices that an artifact serves. */
  bytes: number;
  /** Versions that only the full artifact serves: a delta to each would save bytes. */
  withoutDelta: string[];
  /** Devices that no artifact serves. */
  unserved: number;
}

/** Says which artifact serves each version of a fleet, and what that costs. Pure. */
export function judgeFleet(
  { application, group }: { application: string; group?: string | undefined },
  { versionKey, devices, populations }: Census,
  artifacts: readonly ReleaseArtifact[],
  to: string | undefined,
): FleetStatus {
  const bringing = artifacts.filter(({ version }) => version === to);
  const versions = populations.map((population) => judgePopulation(population, bringing, to));
  const full = versions.filter(({ served, version }) => served === 'full' && version !== null);
  const unserved = versions.filter(({ served }) => served === 'missing');
  return {
    application,
    versionKey: versionKey ?? null,
    group: group ?? null,
    to: to ?? null,
    devices,
    versions,
    bytes: versions.reduce((sum, { bytes }) => sum + (bytes ?? 0), 0),
    withoutDelta: [...new Set(full.map(({ version }) => String(version)))],
    unserved: unserved.reduce((sum, one) => sum + one.devices, 0),
  };
}

function judgePopulation(
  population: Population,
  artifacts: readonly ReleaseArtifact[],
  to: string | undefined,
): VersionStatus {
  const { version, type, devices, lastCheckIn } = population;
  const facts = {
    ...{ version: version ?? null, deviceType: type ?? null, devices },
    lastCheckIn: lastCheckIn ?? null,
  };
  if (version !== undefined && version === to)
    return { ...facts, served: 'current', artifact: null, bytes: 0 };
  const found = smallestFor(artifacts, population);
  if (found === undefined) return { ...facts, served: 'missing', artifact: null, bytes: null };
  const { id, name, size, bases } = found;
  const served = bases === undefined ? 'full' : 'delta';
  return { ...facts, served, artifact: { id, name, size }, bytes: size * devices };
}
