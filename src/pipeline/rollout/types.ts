import type { LastArtifact } from '../fleet/lastArtifact.ts';

/** A device of a rollout, as the inventory shows it. */
export interface Member {
  id: string;
  /** Undefined if the device has reported none. */
  type: string | undefined;
  /** Undefined if the device reports no version, several, or a broken update. */
  version: string | undefined;
  /** ISO 8601: when the device reported this. Undefined if the server does not tell. */
  updated?: string | undefined;
  /** What the artifact that it installed last says of the version. */
  last?: LastArtifact;
}

/**
 * What an artifact is made against. Undefined for a full artifact, and null for a full artifact
 * with a name of its own, on a server that would hand out a delta under the name of all.
 */
export type Base = string | undefined | null;

/** What one device has come to in this rollout, as the server's deployments tell. */
export type DeviceState =
  /** In a deployment that runs. `asked`: the device has asked for it. */
  | { kind: 'running'; asked: boolean }
  | { kind: 'succeeded' }
  /** The update failed, or the server had none that fits; with a delta or with a full artifact. */
  | { kind: 'failed'; with: 'delta' | 'full' }
  /** The device is no longer there. */
  | { kind: 'unfit' };

/** The devices that have been in a deployment of this rollout, by id. */
export type History = ReadonlyMap<string, DeviceState>;

/** How a rollout goes about its devices. */
export interface RolloutPolicy {
  /** The version that it brings. */
  to: string;
  deviceTypes: readonly string[];
  /** The bases that there is, or will be, a delta for. */
  deltas: ReadonlySet<string>;
  /** True if the server chooses an artifact for each device by what it depends on. */
  enterprise: boolean;
  /** True if a device that failed with a delta gets the full artifact. */
  fallback: boolean;
  /** More failed devices than this stop the rollout. */
  maxFailures: Threshold | undefined;
  /** Growing shares of the devices, the last one 1. */
  phases: readonly number[];
}

/** A number of devices, or a share of those that got an artifact. */
export type Threshold = { devices: number } | { share: number };
