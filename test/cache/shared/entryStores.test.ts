import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
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

async function registry(): Promise<EntryStore> {
  const started = await startRegistry();
  onTestFinished(() => started.stop());
  const http = createHttp({ log: silentLog });
  const credentials = (): Promise<undefined> => Promise.resolve(undefined);
  const files = openFiles({ http, log: silentLog, credentials }, 'pull,push');
  return registryStore({ registry: started.host, repository: 'team/cache', tag: 'latest' }, files);
}

describe.each<[string, () => Promise<EntryStore>]>([
  ['a registry', registry],
  ['a folder', () => Promise.resolve(folderStore(join(temporaryFolder(), 'cache')))],
])('a shared cache in %s', (_, open) => {
  test('compares an entry with a file, and replaces it', async () => {
    const store = await open();
    const folder = temporaryFolder();
    const [right, wrong, fetched] = ['right', 'wrong', 'fetched'].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ];
    for (const path of [right, wrong]) writeFileSync(path, path === right ? 'right' : 'wrong');
    expect(await store.holds('name', right)).toBe(false);
    await store.store('name', wrong);
    expect([await store.holds('name', right), await store.holds('name', wrong)]).toEqual([false, true]);
    await store.store('name', right);
    expect([await store.holds('name', right), await store.holds('other', right)]).toEqual([true, false]);
    expect(await store.fetch('name', fetched, 5)).toBe(true);
    expect(readFileSync(fetched, 'utf8')).toBe('right');
  });
});

test('a folder in the place of an entry is not that entry', async () => {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'name'));
  writeFileSync(join(folder, 'file'), 'content');
  expect(await folderStore(folder).holds('name', join(folder, 'file'))).toBe(false);
});
