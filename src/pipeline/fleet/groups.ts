import { mapLimited } from '../../io/pool.ts';
import type { Api } from '../../server/api.ts';
import { countDevices, listGroups } from '../../server/inventory.ts';
import { filtersOf } from './devices.ts';

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
    return { name, devices: await countDevices(api, filtersOf({ group: name })) };
  });
}
