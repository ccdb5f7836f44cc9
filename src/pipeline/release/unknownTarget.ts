import type { UserError } from '../../errors.ts';
import { DeniedError, NotFoundError } from '../../errors.ts';
import type { Api } from '../../server/api.ts';
import type { Target } from '../../server/deployments.ts';
import { listGroups } from '../../server/inventory.ts';
import { resolveDevices } from '../../server/resolve.ts';

/** A search for a device group that does not exist. */
interface GroupSearch {
  /** The groups that exist. */
  groups: readonly string[];
  host: string;
  /** What the group was for, like `deploying app-1.2`. */
  doing?: string;
  /** What to do on a server without groups. */
  ifNone?: string;
}

/** The error for an unknown device group. Its hint names the groups that exist. Pure. */
export function unknownGroup(
  group: string,
  { groups, host, doing, ifNone = 'deploy to --devices or --all-devices' }: GroupSearch,
): NotFoundError {
  const start = doing === undefined ? '' : `${doing}: `;
  return new NotFoundError(`${start}there is no device group ${group} on ${host}`, {
    hint:
      groups.length === 0
        ? `the server has no groups: ${ifNone}`
        : `use one of its groups: ${[...groups].sort().join(', ')}`,
  });
}

/** Asks the server, and returns an error for each of the groups that it does not have. */
export async function unknownGroups(
  api: Api,
  wanted: readonly string[],
  search: Pick<GroupSearch, 'doing' | 'ifNone'> = {},
): Promise<UserError[]> {
  const groups = await listGroups(api);
  const unknown = wanted.filter((group) => !groups.includes(group));
  return unknown.map((group) => unknownGroup(group, { ...search, groups, host: api.host }));
}

/** A deployment needs no right to read the inventory, so a user without it is not stopped. */
export function ifAllowed(find: () => Promise<UserError[]>): Promise<UserError[]> {
  return find().catch((error: unknown) => {
    if (error instanceof DeniedError) return [];
    throw error;
  });
}

/**
 * Returns the target with whole ids of its devices. A user who may not read the inventory gets it
 * as it is. Throws NotFoundError for an unknown device, UsageError for the beginning of several
 * ids.
 */
export async function resolveTarget(api: Api, target: Target): Promise<Target> {
  if (target.kind !== 'devices') return target;
  try {
    return { kind: 'devices', devices: await resolveDevices(api, target.devices) };
  } catch (error) {
    if (error instanceof DeniedError) return target;
    throw error;
  }
}
