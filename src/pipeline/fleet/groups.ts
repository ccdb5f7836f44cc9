import { mapLimited } from '../../io/pool.ts';
import type { Api } from '../../server/api.ts';
import { countDevices, listGroups } from '../../server/inventory.ts';

export interface GroupSize {
  name: string;
  /** Accepted devices in it. */
  devices: number;
}

const AT_ONCE = 4;

/** All groups with the number of their accepted devices, sorted by name. */
export async function listGroupSizes(api: Api): Promise<GroupSize[]> {
  const names = [...(await listGroups(api))].sort();
  return mapLimited(names, AT_ONCE, async (name) => {
    const accepted = { scope: 'identity', attribute: 'status', type: '$eq', value: 'accepted' } as const;
    const inGroup = { scope: 'system', attribute: 'group', type: '$eq', value: name } as const;
    return { name, devices: await countDevices(api, [accepted, inGroup]) };
  });
}
