import { NotFoundError } from '../../errors.ts';
import type { Api } from '../../server/api.ts';
import type { Artifact } from '../../server/artifacts.ts';
import type { AttributeName, DeviceFilter, InventoryDevice } from '../../server/inventory.ts';
import { getDevice, listAttributes, listGroups, searchDevices } from '../../server/inventory.ts';
import { resolveDevices } from '../../server/resolve.ts';
import { unknownGroup } from '../release/unknownTarget.ts';
import { candidateKeys, providedNames } from './versionKeys.ts';

/** A device, and the software that it reports. */
export interface FleetDevice {
  id: string;
  /** Undefined if the device has reported none. */
  type: string | undefined;
  group: string | undefined;
  /** ISO 8601: last seen, to the day. */
  checkIn: string | undefined;
  /** ISO 8601: when the inventory was last written. */
  updated: string | undefined;
  /** The name of the artifact that it installed last; ends with `_INCONSISTENT` if that failed. */
  lastArtifact: string | undefined;
  /** By version key. A device may report several values for a key. */
  versions: Record<string, string | string[]>;
}

/** Which devices. Only accepted ones, unless `status` says otherwise. */
export interface DeviceQuery {
  group?: string | undefined;
  /** Only these ids. */
  ids?: readonly string[] | undefined;
  status?: string | undefined;
  /** Shows the versions of this application only, and only devices that report one. */
  application?: string | undefined;
  /** The keys of versions to show, in place of those of the application. */
  versionKeys?: readonly string[] | undefined;
  /** Only devices that report this version. */
  version?: string | undefined;
  /** Further conditions. */
  filters?: readonly DeviceFilter[] | undefined;
}

const SHOWN: readonly AttributeName[] = [
  { scope: 'inventory', attribute: 'device_type' },
  { scope: 'inventory', attribute: 'artifact_name' },
  { scope: 'system', attribute: 'group' },
  { scope: 'system', attribute: 'check_in_time' },
];

/**
 * The devices that match, in the order of their ids; holds one page of them. Throws NotFoundError
 * for an unknown group, and DeniedError if the user may not read the inventory.
 */
export async function* listDevices(api: Api, query: DeviceQuery = {}): AsyncGenerator<FleetDevice> {
  if (query.group !== undefined) await requireGroup(api, query.group);
  const keys = query.versionKeys ?? (await keysFor(api, query.application));
  const attributes = [...SHOWN, ...keys.map((attribute) => ({ scope: 'inventory', attribute }))];
  for await (const found of searchDevices(api, { filters: filtersOf(query), attributes })) {
    const device = deviceOf(found, keys);
    if (fits(device, query)) yield device;
  }
}

/**
 * The keys under which devices may report the version of an application, or of all. The server
 * lists the attributes of some devices only, so `artifacts` name further ones.
 */
export async function keysFor(
  api: Api,
  application: string | undefined,
  artifacts: readonly Artifact[] = [],
): Promise<string[]> {
  return candidateKeys(application, [...(await listAttributes(api)), ...providedNames(artifacts)]);
}

/** Throws NotFoundError, which names the groups that exist, for an unknown one. */
async function requireGroup(api: Api, group: string): Promise<void> {
  const groups = await listGroups(api);
  if (!groups.includes(group)) throw unknownGroup(group, { groups, host: api.host, ifNone: 'name no group' });
}

/**
 * A device with all its attributes, by its id or the beginning of it. Throws NotFoundError for an
 * unknown device, UsageError for the beginning of several ids.
 */
export async function showDevice(
  api: Api,
  id: string,
): Promise<FleetDevice & { attributes: InventoryDevice['attributes'] }> {
  const found = await getDevice(api, id).catch(async (error: unknown) => {
    if (!(error instanceof NotFoundError)) throw error;
    const [whole = id] = await resolveDevices(api, [id]);
    return getDevice(api, whole);
  });
  const names = found.attributes.map(({ scope, name }) => ({ scope, attribute: name }));
  return { ...deviceOf(found, candidateKeys(undefined, names)), attributes: found.attributes };
}

/** The conditions that the server can check. Pure. */
export function filtersOf({ group, ids, status = 'accepted', filters = [] }: DeviceQuery): DeviceFilter[] {
  const accepted = { scope: 'identity', attribute: 'status', type: '$eq', value: status } as const;
  const inGroup = { scope: 'system', attribute: 'group', type: '$eq', value: group ?? '' } as const;
  const withId = { scope: 'identity', attribute: 'id', type: '$in', value: ids ?? [] } as const;
  return [
    accepted,
    ...(group === undefined ? [] : [inGroup]),
    ...(ids === undefined ? [] : [withId]),
    ...filters,
  ];
}

function deviceOf(found: InventoryDevice, keys: readonly string[]): FleetDevice {
  const value = (scope: string, name: string): InventoryDevice['attributes'][number]['value'] | undefined =>
    found.attributes.find((one) => one.scope === scope && one.name === name)?.value;
  const text = (scope: string, name: string): string | undefined => {
    const one = value(scope, name);
    return one === undefined ? undefined : String(one);
  };
  const versions = keys.flatMap((key) => {
    const one = value('inventory', key);
    return one === undefined ? [] : [[key, Array.isArray(one) ? one.map(String) : String(one)] as const];
  });
  return {
    id: found.id,
    type: text('inventory', 'device_type'),
    group: text('system', 'group'),
    checkIn: text('system', 'check_in_time'),
    updated: found.updated_ts,
    lastArtifact: text('inventory', 'artifact_name'),
    versions: Object.fromEntries(versions),
  };
}

/**
 * True if the device has what the query asks of its software. The server could only ask for one
 * key.
 */
function fits({ versions }: FleetDevice, { application, version }: DeviceQuery): boolean {
  const reported = Object.values(versions).flat();
  if (version !== undefined) return reported.includes(version);
  return application === undefined || reported.length > 0;
}
