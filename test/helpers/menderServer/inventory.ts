import type { Call, Reply } from './routes.ts';
import { Refused } from './multipart.ts';
import type { Device, ServerState } from './state.ts';

type Value = string | number | boolean | string[];

interface Predicate {
  scope: string;
  attribute: string;
  type: string;
  value: Value;
}

interface Search {
  page?: number;
  per_page?: number;
  filters?: Predicate[];
  attributes?: { scope: string; attribute: string }[];
  sort?: { scope: string; attribute: string; order: string }[];
  device_ids?: string[];
}

/** Devices by id, and their ids in order: with 100,000 devices each page would sort them again. */
export class DeviceMap extends Map<string, Device> {
  #sorted: string[] | undefined;

  constructor(devices: readonly Device[]) {
    super();
    for (const device of devices) this.set(device.id, device);
  }

  override set(id: string, device: Device): this {
    if (!this.has(id)) this.#sorted = undefined;
    return super.set(id, device);
  }

  override delete(id: string): boolean {
    this.#sorted = undefined;
    return super.delete(id);
  }

  sortedIds(): readonly string[] {
    return (this.#sorted ??= [...this.keys()].sort());
  }
}

type Judge = (found: Value | undefined, wanted: Value) => boolean;

const OPERATORS: Readonly<Record<string, Judge | undefined>> = {
  $eq: (found, wanted) => found === wanted || (Array.isArray(found) && found.includes(String(wanted))),
  $ne: (found, wanted) => found !== wanted,
  $in: (found, wanted) => Array.isArray(wanted) && found !== undefined && wanted.includes(String(found)),
  $nin: (found, wanted) => Array.isArray(wanted) && !wanted.includes(String(found)),
  $gt: (found, wanted) => found !== undefined && found > wanted,
  $gte: (found, wanted) => found !== undefined && found >= wanted,
  $lt: (found, wanted) => found !== undefined && found < wanted,
  $lte: (found, wanted) => found !== undefined && found <= wanted,
  $exists: (found, wanted) => (found !== undefined) === wanted,
  $regex: (found, wanted) => typeof found === 'string' && new RegExp(`^${String(wanted)}`).test(found),
};

/** What the inventory says of a device: what it reported last, which may be old. */
function attributesOf(device: Device): { scope: string; name: string; value: Value }[] {
  const inScope = (scope: string, values: Record<string, Value | undefined>) =>
    Object.entries(values).flatMap(([name, value]) => (value === undefined ? [] : [{ scope, name, value }]));
  return [
    ...inScope('identity', { id: device.id, status: device.status ?? 'accepted' }),
    ...inScope('inventory', { device_type: device.type, ...(device.reported ?? device.provides) }),
    ...inScope('system', { group: device.group, check_in_time: device.checkIn, updated_ts: device.updated }),
  ];
}

function valueOf(device: Device, scope: string, name: string): Value | undefined {
  if (scope === 'identity')
    return name === 'id' ? device.id : name === 'status' ? (device.status ?? 'accepted') : undefined;
  if (scope === 'inventory')
    return name === 'device_type' ? device.type : (device.reported ?? device.provides)[name];
  if (scope !== 'system') return undefined;
  return { group: device.group, check_in_time: device.checkIn, updated_ts: device.updated }[name];
}

function view(device: Device, wanted: Search['attributes']) {
  const all = attributesOf(device);
  const attributes =
    wanted === undefined
      ? all
      : all.filter(({ scope, name }) => wanted.some((one) => one.scope === scope && one.attribute === name));
  return { id: device.id, attributes, updated_ts: device.updated ?? '2026-01-01T00:00:00Z' };
}

export function searchDevices(call: Call): Reply {
  const { page = 1, per_page = 20, filters = [], attributes, sort, device_ids } = (call.body ?? {}) as Search;
  if (per_page > 500 || per_page < 1) throw new Refused(400, 'per_page: must be no greater than 500');
  if (filters.some(({ value }) => (value as Value | null) === null))
    throw new Refused(400, 'value: cannot be blank');
  const size = Math.min(per_page, call.state.options.pageSize);
  const fits = (device: Device) =>
    (device_ids === undefined || device_ids.includes(device.id)) &&
    filters.every(({ scope, attribute, type, value }) => {
      const judge = OPERATORS[type];
      if (judge === undefined) throw new Refused(500, 'internal error');
      return judge(valueOf(device, scope, attribute), value);
    });
  const shown: Device[] = [];
  let total = 0;
  for (const id of orderedIds(call.state, sort, filters)) {
    const device = call.state.devices.get(id)!;
    if (!fits(device)) continue;
    total += 1;
    if (total > (page - 1) * size && shown.length < size) shown.push(device);
  }
  return {
    status: 200,
    json: shown.map((device) => view(device, attributes)),
    headers: { 'x-total-count': String(total) },
  };
}

/** Ids in the order that is asked for, those after an id that must be passed; else in any order. */
function orderedIds({ devices }: ServerState, sort: Search['sort'], filters: Predicate[]): readonly string[] {
  const isById = sort?.[0]?.attribute === 'id' && sort[0].scope === 'identity' && sort[0].order === 'asc';
  if (!isById) return [...devices.keys()].reverse();
  const after = filters.find(
    ({ scope, attribute, type }) => `${scope} ${attribute} ${type}` === 'identity id $gt',
  );
  const sorted = devices.sortedIds();
  return after === undefined ? sorted : sorted.slice(placeAfter(sorted, String(after.value)));
}

/** The position of the first id behind `id`. */
function placeAfter(sorted: readonly string[], id: string): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle]! <= id) low = middle + 1;
    else high = middle;
  }
  return low;
}

export function showDevice(call: Call): Reply {
  const device = call.state.devices.get(call.parameters['id']!);
  if (device === undefined) throw new Refused(404, 'Device not found');
  return { status: 200, json: view(device, undefined) };
}

const MOST_SAMPLED = 5000;
const MOST_NAMES = 500;

/** As the server does: from a sample of the devices, and not all names. */
export function listAttributes({ state }: { state: ServerState }): Reply {
  const counts = new Map<string, number>();
  let seen = 0;
  for (const device of state.devices.values()) {
    if (seen++ === MOST_SAMPLED) break;
    for (const { scope, name } of attributesOf(device)) {
      counts.set(`${scope} ${name}`, (counts.get(`${scope} ${name}`) ?? 0) + 1);
    }
  }
  const sorted = [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).slice(0, MOST_NAMES);
  return {
    status: 200,
    json: sorted.map(([key, count]) => ({ scope: key.split(' ')[0]!, name: key.split(' ')[1]!, count })),
  };
}
