import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { folderStore } from '../../../src/cache/shared/folderStore.ts';
import { copyEntry, withEntry } from '../../../src/cache/shared/openEntry.ts';
import { createHttp } from '../../../src/http/http.ts';
import { silentLog } from '../../../src/io/log.ts';
import { digestOf } from '../../../src/oci/digest.ts';
import type { EntryStore } from '../../../src/oci/entryStore.ts';
import { openFiles } from '../../../src/registry/files/context.ts';
import { registryStore } from '../../../src/registry/files/entryStore.ts';
import { listen } from '../../helpers/listen.ts';
import { startMisbehavingRegistry } from '../../helpers/misbehaving-registry.ts';
import { startRegistry } from '../../helpers/registry.ts';
import { temporaryFolder } from '../../helpers/temporary.ts';

async function registry(now: () => number): Promise<EntryStore> {
  const started = await startRegistry();
  onTestFinished(() => started.stop());
  return storeAt(started.host, now);
}

function storeAt(host: string, now: () => number, timeoutMs?: number): EntryStore {
  const http = createHttp({ log: silentLog, timeoutMs });
  const credentials = (): Promise<undefined> => Promise.resolve(undefined);
  const files = openFiles({ http, log: silentLog, credentials }, 'pull,push');
  return registryStore({ registry: host, repository: 'team/cache', tag: 'latest' }, files, now);
}

const DAY = 24 * 3_600_000;
const OLD = Date.parse('2026-01-05T11:12:13Z');

/** A folder whose files get the date `now`. */
function folder(now: () => number): Promise<EntryStore> {
  const path = join(temporaryFolder(), 'cache');
  const own = folderStore(path);
  const storeDated = async (name: string, file: string): Promise<void> => {
    await own.store(name, file);
    utimesSync(join(path, name), now() / 1000, now() / 1000);
  };
  return Promise.resolve({ ...own, store: storeDated });
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

  test('names the file of this machine that it can not write', async () => {
    const store = await open(() => OLD);
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'file'), 'content');
    await store.store('name', join(folder, 'file'));
    const path = join(folder, 'missing/fetched');
    await expect(store.fetch('name', path, 7)).rejects.toThrow(`writing ${path}: no such file or folder`);
  });
});

test('an entry whose file the registry has lost is damaged and is stored again', async () => {
  const registry = await startMisbehavingRegistry();
  onTestFinished(() => registry.stop());
  const store = storeAt(registry.host, () => OLD);
  const folder = temporaryFolder();
  for (const name of ['lost', 'kept']) {
    writeFileSync(join(folder, name), name);
    await store.store(name, join(folder, name));
  }
  registry.faults.push({
    match: new RegExp(`^(GET|HEAD) .*blobs/${digestOf('lost')}`),
    act: (_request, response) => void response.writeHead(404).end(),
  });
  const fetch = (name: string) => store.fetch(name, join(folder, `${name}.fetched`), 10);
  await expect(fetch('lost')).rejects.toMatchObject({
    name: 'IntegrityError',
    message: expect.stringContaining(`has no blob ${digestOf('lost')}`) as string,
  });
  expect(await fetch('kept')).toBeDefined();
  const findSame = (name: string) => store.findSame(name, join(folder, name));
  expect([await findSame('lost'), await findSame('kept')]).toEqual([undefined, expect.anything()]);
});

test('a registry that sends single bytes is given up', async () => {
  const host = await listen((_request, response) => {
    response.writeHead(200, { 'content-length': 4_000_000 });
    const timer = setInterval(() => response.write('x'), 50);
    response.on('close', () => clearInterval(timer));
  });
  const store = storeAt(new URL(host).host, Date.now, 400);
  await expect(store.fetch('name', join(temporaryFolder(), 'fetched'), 400)).rejects.toThrow(
    'fewer than 1 KB a second arrived',
  );
});

describe('a file that a writer of a shared folder put in the place of an entry', () => {
  const ODD: [string, (path: string) => void, RegExp][] = [
    ['a FIFO', (path) => execFileSync('mkfifo', [path]), /expected a regular file/],
    ['a folder', (path) => mkdirSync(path), /expected a regular file/],
    ['a link', (path) => symlinkSync('/etc/hostname', path), /expected a regular file/],
    ['a large file', (path) => writeFileSync(path, 'larger'), /expected at most 5 bytes, found 6/],
  ];

  test.each(ODD)('is %s: it is not fetched and is not the same', async (_, put, message) => {
    const folder = temporaryFolder();
    put(join(folder, 'name'));
    writeFileSync(join(folder, 'file'), 'right');
    const store = folderStore(folder);
    await expect(store.fetch('name', join(folder, 'fetched'), 5)).rejects.toThrow(message);
    expect(await store.findSame('name', join(folder, 'file'))).toBeUndefined();
  });

  test.each(['4777', '0044', '0666'])('has the mode %s: its copy is private', async (mode) => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'name'), 'right');
    chmodSync(join(folder, 'name'), Number.parseInt(mode, 8));
    await folderStore(folder).fetch('name', join(folder, 'fetched'), 5);
    expect(statSync(join(folder, 'fetched')).mode & 0o7777).toBe(0o600);
  });

  test.each<[string, (path: string) => void, RegExp]>([
    ['is replaced by a FIFO', (path) => replace(path, (other) => execFileSync('mkfifo', [other])), /^right$/],
    [
      'is replaced by a large file',
      (path) => replace(path, (other) => writeFileSync(other, 'large file')),
      /^right$/,
    ],
    ['grows', (path) => appendFileSync(path, ' and more'), /expected at most 5 bytes, found more/],
    ['shrinks', (path) => truncateSync(path, 2), /^ri$/],
  ])('%s while it is fetched: at most the asked bytes arrive', async (_, change, expected) => {
    const folder = temporaryFolder();
    const [entry, fetched] = [join(folder, 'name'), join(folder, 'fetched')];
    writeFileSync(entry, 'right');
    const fetching = withEntry(entry, (opened) => {
      change(entry);
      return copyEntry(opened, fetched, 5);
    });
    const outcome = await fetching.then(() => readFileSync(fetched, 'utf8'), String);
    expect(outcome).toMatch(expected);
  });
});

function replace(path: string, write: (other: string) => void): void {
  write(`${path}.next`);
  renameSync(`${path}.next`, path);
}

test('an entry of a shared folder gets the mode of any new file', async () => {
  const folder = temporaryFolder();
  const path = join(temporaryFolder(), 'file');
  writeFileSync(path, 'content', { mode: 0o400 });
  const other = join(folder, 'other');
  writeFileSync(other, '');
  await folderStore(folder).store('name', path);
  expect(statSync(join(folder, 'name')).mode & 0o777).toBe(statSync(other).mode & 0o777);
});

test('a folder in the place of an entry is not that entry', async () => {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'name'));
  writeFileSync(join(folder, 'file'), 'content');
  expect(await folderStore(folder).findSame('name', join(folder, 'file'))).toBeUndefined();
});
