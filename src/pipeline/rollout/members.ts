import { NotFoundError } from '../../errors.ts';
import type { Api } from '../../server/api.ts';
import { resolveDevices } from '../../server/resolve.ts';
import type { FleetDevice } from '../fleet/devices.ts';
import { listDevices } from '../fleet/devices.ts';
import { judgeLast } from '../fleet/lastArtifact.ts';
import { listed } from '../../io/amounts.ts';
import type { Member } from './types.ts';

/** Which devices a rollout is for. */
export interface RolloutTarget {
  group?: string | undefined;
  devices?: readonly string[] | undefined;
}

/** How devices are read as members. */
export interface Reading {
  /** The key under which devices report the version. */
  key: string;
  /** The names of the artifacts of other software. */
  others: ReadonlySet<string>;
}

/** The target with whole ids in the place of their beginnings. */
export async function wholeIds(api: Api, target: RolloutTarget): Promise<RolloutTarget> {
  return target.devices === undefined
    ? target
    : { ...target, devices: await resolveDevices(api, target.devices) };
}

/** The devices of the target, as the inventory shows them now. */
export async function readMembers(api: Api, target: RolloutTarget, reading: Reading): Promise<Member[]> {
  const devices = await readDevices(api, target, [reading.key]);
  return devices.map((device) => memberOf(device, reading));
}

/** The devices of the target, with what they report under these keys. */
export async function readDevices(
  api: Api,
  { group, devices: ids }: RolloutTarget,
  versionKeys: readonly string[],
): Promise<FleetDevice[]> {
  const devices: FleetDevice[] = [];
  for await (const device of listDevices(api, { group, ids, versionKeys })) devices.push(device);
  return devices;
}

/** Throws NotFoundError if a device of the target is not among those that were found. */
export function requireDevices(
  api: Api,
  { devices: ids = [] }: RolloutTarget,
  devices: readonly FleetDevice[],
): void {
  const found = new Set(devices.map(({ id }) => id));
  const unknown = ids.filter((id) => !found.has(id));
  if (unknown.length === 0) return;
  throw new NotFoundError(`${api.host} has no accepted device ${listed(unknown)}`, {
    hint: 'mender-docker-delta devices list shows the ids of accepted devices',
  });
}

/**
 * A device as a rollout sees it: without a version if it is not sure what the device runs. Pure.
 */
export function memberOf(device: FleetDevice, { key, others }: Reading): Member {
  const { id, type, updated, versions } = device;
  const reported = versions[key];
  const last = judgeLast(device, others);
  const isKnown = typeof reported === 'string' && last !== 'broken';
  return { id, type, version: isKnown ? reported : undefined, updated, last };
}
