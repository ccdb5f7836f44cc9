import type { InferOutput } from 'valibot';
import { string } from 'valibot';
import type { Api } from './api.ts';
import { AnswerError, readAnswer } from './answer.ts';
import { itemsOf, listOf } from './pages.ts';
import { deviceSchema, filterAttributeSchema } from './schemas.ts';

/** A device as the inventory describes it. The field names are those of the API. */
export type InventoryDevice = InferOutput<typeof deviceSchema>;

/** The name of an attribute. Scopes are `inventory`, `identity`, `system`, `tags` and `monitor`. */
export interface AttributeName {
  scope: string;
  attribute: string;
}

/** A condition on an attribute. All conditions of a search must hold. */
export interface DeviceFilter extends AttributeName {
  type: '$eq' | '$in' | '$gt' | '$exists';
  value: string | boolean | readonly string[];
}

export interface DeviceSearch {
  filters: readonly DeviceFilter[];
  /** The attributes to return. */
  attributes: readonly AttributeName[];
}

/** The most devices that the server gives at once. */
const PAGE_SIZE = 500;
const SEARCH = '/api/management/v2/inventory/filters/search';
const DEVICES = '/api/management/v1/inventory/devices';
const ID = { scope: 'identity', attribute: 'id' } as const;

/**
 * All devices that match, in the order of their ids, one page in memory. Each page begins after the
 * last id of the page before. So a device that is there all the time is seen exactly once, also if
 * others come and go meanwhile. Throws AnswerError for a list without end.
 */
export async function* searchDevices(api: Api, search: DeviceSearch): AsyncGenerator<InventoryDevice> {
  const doing = 'listing devices';
  for (let last = ''; ;) {
    const after = last === '' ? [] : [{ ...ID, type: '$gt' as const, value: last }];
    const { devices, total } = await searchOnce(api, search, [...search.filters, ...after], PAGE_SIZE, doing);
    yield* devices;
    const next = devices.at(-1)?.id;
    if (next === undefined || devices.length >= total) return;
    if (next <= last) throw endless(api, doing);
    last = next;
  }
}

/** Ids of the first two devices whose id begins with `start`. */
export async function idsBeginning(api: Api, start: string): Promise<string[]> {
  const after = { ...ID, type: '$gt' as const, value: start };
  const { devices } = await searchOnce(api, { attributes: [ID] }, [after], 2, `looking for device ${start}`);
  return devices.map(({ id }) => id).filter((id) => id.startsWith(start));
}

/** How many devices match. */
export async function countDevices(api: Api, filters: readonly DeviceFilter[]): Promise<number> {
  const { total } = await searchOnce(api, { attributes: [ID] }, filters, 1, 'counting devices');
  return total;
}

async function searchOnce(
  api: Api,
  { attributes }: Pick<DeviceSearch, 'attributes'>,
  filters: readonly DeviceFilter[],
  size: number,
  doing: string,
): Promise<{ devices: InventoryDevice[]; total: number }> {
  const sort = [{ ...ID, order: 'asc' }];
  const json = { page: 1, per_page: size, filters, sort, attributes };
  const answer = await api.call({ method: 'POST', path: SEARCH, json, doing, retry: true });
  const devices = itemsOf(answer, deviceSchema, doing);
  const total = Number(answer.headers['x-total-count'] ?? Number.NaN);
  if (Number.isInteger(total)) return { devices, total };
  throw new AnswerError(`${doing}: ${api.host} does not say how many there are (no X-Total-Count header)`);
}

function endless(api: Api, doing: string): AnswerError {
  return new AnswerError(
    `${doing}: ${api.host} does not sort devices by their ids, so the list does not end`,
    {
      hint: 'check --mender-host, and whether a proxy repeats the same page',
    },
  );
}

/** All that the inventory knows of a device. Throws NotFoundError for an unknown id. */
export async function getDevice(api: Api, id: string): Promise<InventoryDevice> {
  const doing = `reading device ${id}`;
  const path = `${DEVICES}/${encodeURIComponent(id)}`;
  return readAnswer(await api.call({ method: 'GET', path, doing }), deviceSchema, doing);
}

/**
 * The attributes that devices have, most frequent first. The server looks at a sample of 5000
 * devices and returns at most 500 names, so a missing name proves nothing.
 */
export async function listAttributes(api: Api): Promise<AttributeName[]> {
  const doing = 'listing the attributes of devices';
  const path = '/api/management/v2/inventory/filters/attributes';
  const found = itemsOf(await api.call({ method: 'GET', path, doing }), filterAttributeSchema, doing);
  return found.map(({ name, scope }) => ({ scope, attribute: name }));
}

/** Names of all device groups. */
export async function listGroups(api: Api): Promise<string[]> {
  const doing = 'listing device groups';
  const path = '/api/management/v1/inventory/groups';
  return itemsOf(await api.call({ method: 'GET', path, doing }), string(), doing);
}

/** Ids of the devices in a group. */
export async function devicesInGroup(api: Api, group: string): Promise<string[]> {
  const path = `/api/management/v1/inventory/groups/${encodeURIComponent(group)}/devices`;
  return listOf(api, string(), { path, doing: `listing the devices of group ${group}` });
}
