import { mkdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { folderStore } from '../../../src/cache/shared/folderStore.ts';
import { createHttp } from '../../../src/http/http.ts';
import { silentLog } from '../../../src/io/log.ts';
import type { EntryStore } from '../../../src/oci/entryStore.ts';
import { openFiles } from '../../../src/registry/files/context.ts';
import { registryStore } from '../../../src/registry/files/entryStore.ts';
import { startRegistry } from '../../helpers/registry.ts';
import { temporaryFolder } from '../../helpers/temporary.ts';

async function registry(now: () => number): Promise<EntryStore> {
  const started = await startRegistry();
  onTestFinished(() => started.stop());
  const http = createHttp({ log: silentLog });
  const credentials = (): Promise<undefined> => Promise.resolve(undefined);
  const files = openFiles({ http, log: silentLog, credentials }, 'pull,push');
  return registryStore({ registry: started.host, repository: 'team/cache', tag: 'latest' }, files, now);
}

const DAY = 24 * 3_600_000;
const OLD = Date.parse('2026-01-05T11:12:13Z');

/** A folder whose files get the date `now`. */
function folder(now: () => number): Promise<EntryStore> {
  const path = join(temporaryFolder(), 'cache');
  const { store, ...rest } = folderStore(path);
  const storeDated = async (name: string, file: string): Promise<void> => {
    await store(name, file);
    utimesSync(join(path, name), now() / 1000, now() / 1000);
  };
  return Promise.resolve({ ...rest, store: storeDated });
}

describe.each<[string, (now: () => number) => Promise<EntryStore>]>([
  ['a registry', registry],
  ['a folder', folder],
])('a shared cache in %s', (_, open) => {
  test('compares an entry with a file, and replaces it', async () => {
    const store = await open(() => OLD);
    const same = async (name: string, path: string): Promise<boolean> =>
      (await store.findSame(name, path)) !== undefined;
    const folder = temporaryFolder();
    const [right, wrong, fetched] = ['right', 'wrong', 'fetched'].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ];
    for (const path of [right, wrong]) writeFileSync(path, path === right ? 'right' : 'wrong');
    expect(await same('name', right)).toBe(false);
    await store.store('name', wrong);
    expect([await same('name', right), await same('name', wrong)]).toEqual([false, true]);
    await store.store('name', right);
    expect([await same('name', right), await same('other', right)]).toEqual([true, false]);
    expect(await store.fetch('name', fetched, 5)).toBeDefined();
    expect(readFileSync(fetched, 'utf8')).toBe('right');
  });

  test('tells the day on which an entry was stored, and that of the last time', async () => {
    let now = OLD;
    const store = await open(() => now);
    const path = join(temporaryFolder(), 'file');
    writeFileSync(path, 'content');
    const age = async (): Promise<number> => now - ((await store.findSame('name', path))?.stored ?? 0);
    await store.store('name', path);
    now += 30 * DAY;
    expect(await age()).toBeGreaterThan(29 * DAY - 1);
    await store.store('name', path);
    expect(await age()).toBeLessThan(DAY);
    const fetched = await store.fetch('name', join(temporaryFolder(), 'fetched'), 7);
    expect(fetched?.stored).toBe((await store.findSame('name', path))?.stored);
  });
});

test('a folder in the place of an entry is not that entry', async () => {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'name'));
  writeFileSync(join(folder, 'file'), 'content');
  expect(await folderStore(folder).findSame('name', join(folder, 'file'))).toBeUndefined();
});
