import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { describe, expect, test } from 'vitest';
import { DeniedError, NotFoundError } from '../../src/errors.ts';
import { createHttp } from '../../src/http/http.ts';
import { silentLog } from '../../src/io/log.ts';
import type { Census } from '../../src/pipeline/fleet/census.ts';
import { listDevices, showDevice } from '../../src/pipeline/fleet/devices.ts';
import { listGroupSizes } from '../../src/pipeline/fleet/groups.ts';
import { createApi } from '../../src/server/api.ts';
import { searchDevices } from '../../src/server/inventory.ts';
import { listen } from '../helpers/listen.ts';
import type { Device } from '../helpers/menderServer/state.ts';
import { menderServer } from '../helpers/menderServer/menderServer.ts';
import { callsOf, contextOf } from './fixture.ts';

const KEY = 'rootfs-image.shop.version';
const SEARCH = /filters\/search$/;

function devices(count: number, more: (index: number) => Partial<Device> = () => ({})): Device[] {
  return Array.from({ length: count }, (_, index) => ({
    ...{ id: `d${String(index).padStart(6, '0')}`, type: 'qemu', group: 'staging' },
    ...{ provides: { [KEY]: `1.${index % 3}` }, ...more(index) },
  }));
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

describe('listing devices', () => {
  test.each([
    ['none', 0, 1],
    ['one page', 10, 1],
    ['pages that are full', 20, 2],
    ['a page that is not', 25, 3],
  ])('%s', async (_, count, calls) => {
    const server = await menderServer({ devices: devices(count), pageSize: 10 });
    const found = await collect(searchDevices(contextOf(server).api, { filters: [], attributes: [] }));
    expect(found.map(({ id }) => id)).toEqual(devices(count).map(({ id }) => id));
    expect(callsOf(server, SEARCH)).toBe(calls);
  });

  test('sees each device once while others come and go', async () => {
    const server = await menderServer({ devices: devices(40), pageSize: 10 });
    const seen: string[] = [];
    for await (const { id } of searchDevices(contextOf(server).api, { filters: [], attributes: [] })) {
      seen.push(id);
      if (seen.length === 10) for (const gone of ['d000000', 'd000005']) server.state.devices.delete(gone);
      if (seen.length === 20) server.state.devices.set('a', { id: 'a', type: 'qemu', provides: {} });
    }
    expect(seen).toEqual(devices(40).map(({ id }) => id));
  });

  test('ends where a server repeats a page', async () => {
    const page = JSON.stringify([{ id: 'a', attributes: null }, { id: 'b' }]);
    const host = await listen((request, response) => {
      request.resume();
      response.setHeader('x-total-count', '9').end(page);
    });
    const api = createApi({ http: createHttp({ log: silentLog }), host, authorization: 'x' });
    const list = collect(searchDevices(api, { filters: [], attributes: [] }));
    await expect(list).rejects.toThrow(/does not sort devices by their ids/);
  });

  test.each([
    ['a group', { group: 'staging' }, ['a', 'b']],
    ['the others', { status: 'pending' }, ['p']],
    ['an application', { application: 'shop' }, ['a', 'c']],
    ['a version of it', { application: 'shop', version: '2.0' }, ['c']],
    ['a version of any', { version: '7' }, ['b']],
    ['ids', { ids: ['a', 'p', 'x'] }, ['a']],
    [
      'an attribute',
      { filters: [{ scope: 'inventory', attribute: 'device_type', type: '$eq', value: 'rpi' }] },
      ['c'],
    ],
  ] as const)('of %s', async (_, query, ids) => {
    const server = await menderServer({
      devices: [
        { id: 'a', type: 'qemu', group: 'staging', provides: { [KEY]: '1.0' } },
        { id: 'b', type: 'qemu', group: 'staging', provides: { 'rootfs-image.other.version': '7' } },
        { id: 'c', type: 'rpi', provides: { [KEY]: '2.0' } },
        { id: 'p', type: 'qemu', status: 'pending', provides: {} },
      ],
    });
    const found = await collect(listDevices(contextOf(server).api, query));
    expect(found.map(({ id }) => id)).toEqual(ids);
  });

  test('shows one with all that is known of it', async () => {
    const server = await menderServer({ devices: devices(1, () => ({ checkIn: '2026-01-02T00:00:00Z' })) });
    expect(await showDevice(contextOf(server).api, 'd000000')).toMatchObject({
      ...{ id: 'd000000', type: 'qemu', group: 'staging', checkIn: '2026-01-02T00:00:00Z' },
      versions: { [KEY]: '1.0' },
    });
    await expect(showDevice(contextOf(server).api, 'x')).rejects.toThrow(/there is no device x on/);
  });

  test('shows one by the first eight digits of its id', async () => {
    const id = '5d1f00aa-0000-4000-8000-000000000001';
    const server = await menderServer({ devices: [{ id, type: 'qemu', provides: {} }] });
    expect(await showDevice(contextOf(server).api, '5d1f00aa')).toMatchObject({ id });
  });

  test('of an unknown group names those that exist', async () => {
    const server = await menderServer({ devices: devices(1) });
    const list = collect(listDevices(contextOf(server).api, { group: 'nobody' }));
    await expect(list).rejects.toThrow(NotFoundError);
    await expect(list).rejects.toMatchObject({ hint: 'use one of its groups: staging' });
  });

  test('without the right to', async () => {
    const server = await menderServer({ devices: devices(1) });
    server.faults.plan(/inventory/, { kind: 'status', status: 403 }, 9);
    await expect(collect(listDevices(contextOf(server).api))).rejects.toThrow(DeniedError);
  });

  test('counts the accepted devices of each group', async () => {
    const status = (index: number) => (index === 0 ? 'noauth' : 'accepted');
    const group = (index: number) => (index < 3 ? 'b' : 'a');
    const list = devices(5, (index) => ({ status: status(index), group: group(index) }));
    const server = await menderServer({ devices: list });
    expect(await listGroupSizes(contextOf(server).api)).toEqual([
      { name: 'a', devices: 2 },
      { name: 'b', devices: 2 },
    ]);
  });
});

test(
  '100,000 devices are counted in constant memory, in one request for 500',
  { timeout: 300_000 },
  async () => {
    const server = await menderServer({ devices: devices(100_000) });
    const file = (name: string) => fileURLToPath(new URL(name, import.meta.url));
    // A list of the devices would not fit.
    const node = ['--max-old-space-size=48', '--import', file('../helpers/typescript.js')];
    const { stdout } = await execa(process.execPath, [
      ...node,
      file('censusOnce.ts'),
      server.url,
      server.token,
    ]);
    const census = JSON.parse(stdout) as Census;
    expect(census).toMatchObject({ devices: 100_000, versionKey: KEY });
    expect(census.populations.map((one) => one.devices)).toEqual([33_334, 33_333, 33_333]);
    expect(callsOf(server, SEARCH)).toBe(200);
  },
);
