import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { readDocument, writeDocument } from '../../src/cache/documents.ts';
import { deleteEntry, isWhole } from '../../src/cache/entries.ts';
import type { CacheEntry } from '../../src/cache/entries.ts';
import { readMetadataFile } from '../../src/cache/metadata.ts';
import { IN_USE_MS, choosePruned } from '../../src/cache/upkeep.ts';
import type { Cache } from '../../src/cache/cache.ts';
import { withLock } from '../../src/cache/lock.ts';
import { UsageError } from '../../src/errors.ts';
import { createLog } from '../../src/io/log.ts';
import { digestOf } from '../../src/oci/digest.ts';
import { testCache } from '../helpers/cache.ts';
import { filesBelow } from '../helpers/filesBelow.ts';
import { flip } from '../helpers/flip.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

const CONTENT = Buffer.from('layer content '.repeat(1000));
const DIFF_ID = digestOf(CONTENT);
const LIMIT = 1e6;
const AMD64 = { os: 'linux', architecture: 'amd64' };
const ARM64 = { os: 'linux', architecture: 'arm64' };

function newCache(): ReturnType<typeof testCache> {
  return testCache({ largestLayer: LIMIT });
}

async function store(
  cache: Cache,
  bytes: Buffer,
  digest = digestOf(bytes),
  kind: 'layer' | 'config' = 'layer',
): Promise<void> {
  await cache.sink()({ kind, digest, stream: Readable.from([bytes]) });
}

describe('layers and configs', () => {
  it.each([
    ['plain', CONTENT],
    ['gzipped', gzipSync(CONTENT)],
  ])('stores a %s layer uncompressed under its diffID', async (_, bytes) => {
    const cache = newCache();
    await store(cache, bytes, DIFF_ID);
    const found = await cache.layers.find(DIFF_ID);
    const gzipped = { path: `${cache.paths.layer(DIFF_ID)}.gz`, size: bytes.length, digest: digestOf(bytes) };
    expect(found).toEqual({
      ...{ diffID: DIFF_ID, path: cache.paths.layer(DIFF_ID), size: CONTENT.length },
      ...(bytes === CONTENT ? {} : { gzipped }),
    });
    if (found?.gzipped) expect(readFileSync(gzipped.path)).toEqual(bytes);
    expect(readFileSync(found!.path)).toEqual(CONTENT);
  });

  it.each([
    ['other bytes', Buffer.from('x'), 'expected sha256:'],
    ['a truncated gzip', gzipSync(CONTENT).subarray(0, 40), 'gzip content is damaged'],
    ['more than the limit', gzipSync(Buffer.alloc(LIMIT + 1)), 'larger than 1000000 bytes'],
  ])('keeps nothing of a layer with %s', async (_, bytes, message) => {
    const cache = newCache();
    await expect(store(cache, bytes, DIFF_ID)).rejects.toThrow(message);
    await expect(store(cache, bytes, DIFF_ID)).rejects.toThrow(`layer ${DIFF_ID}: `);
    expect(await cache.layers.find(DIFF_ID)).toBeUndefined();
    expect(filesBelow(cache.root)).toEqual([]);
  });

  it.each([
    ['truncated', (path: string) => writeFileSync(path, CONTENT.subarray(1)), false],
    ['lengthened', (path: string) => writeFileSync(path, Buffer.concat([CONTENT, CONTENT])), false],
    ['without its size', (path: string) => rmSync(`${path}.json`), true],
    [
      'damaged and without its size',
      (path: string) => {
        rmSync(`${path}.json`);
        flip(path);
      },
      false,
    ],
  ])('has a layer that was %s: only if it is whole', async (_, damage, expected) => {
    const cache = newCache();
    await store(cache, CONTENT, DIFF_ID);
    const path = cache.paths.layer(DIFF_ID);
    chmodSync(path, 0o644);
    damage(path);
    expect((await cache.layers.find(DIFF_ID))?.size).toBe(expected ? CONTENT.length : undefined);
  });

  it('gives a config only if its bytes are whole', async () => {
    const cache = newCache();
    const config = Buffer.from('{"os":"linux"}');
    await store(cache, config, digestOf(config), 'config');
    expect(await cache.configs.find(digestOf(config))).toEqual(config);
    flip(cache.paths.config(digestOf(config)));
    expect(await cache.configs.find(digestOf(config))).toBeUndefined();
    expect(await cache.configs.find(DIFF_ID)).toBeUndefined();
  });
});

describe('documents', () => {
  it('come back as they were', async () => {
    const path = join(temporaryFolder(), 'd.json');
    await writeDocument(path, { a: [1, { b: null }] });
    expect(await readDocument(path)).toEqual({ a: [1, { b: null }] });
  });

  it.each([
    ['nothing', undefined],
    ['no JSON', '{"a":'],
    ['null', 'null'],
    ['a changed value', JSON.stringify({ a: 2, sum: digestOf('{"a":1}') })],
    ['no sum', '{"a":1}'],
  ])('are absent where the file holds %s', async (_, text) => {
    const path = join(temporaryFolder(), 'd.json');
    if (text !== undefined) writeFileSync(path, text);
    expect(await readDocument(path)).toBeUndefined();
  });
});

describe('deltas', () => {
  const key = { from: DIFF_ID, to: digestOf('to'), encoder: 'e-1' };
  const make = (made: string[]) => async (destination: string) => {
    made.push(destination);
    await writeFile(destination, 'delta bytes');
    return true;
  };

  it('are made once and shared', async () => {
    const [cache, made] = [newCache(), []];
    const all = await Promise.all([1, 2, 3].map(() => cache.deltas.getOrMake(key, make(made))));
    expect(made).toHaveLength(1);
    expect(all).toEqual(Array(3).fill({ path: cache.paths.delta(key.from, key.to, key.encoder), size: 11 }));
  });

  it('are made again when damaged', async () => {
    const [cache, made] = [newCache(), []];
    const { path } = await cache.deltas.getOrMake(key, make(made));
    flip(path!);
    await cache.deltas.getOrMake(key, make(made));
    expect(made).toHaveLength(2);
    expect(readFileSync(path!, 'utf8')).toBe('delta bytes');
  });

  it('remember that none can be made', async () => {
    const cache = newCache();
    let asked = 0;
    const none = (): Promise<boolean> => Promise.resolve(++asked < 0);
    expect(await cache.deltas.getOrMake(key, none)).toEqual({ path: undefined, size: 0 });
    expect(await cache.deltas.getOrMake(key, none)).toEqual({ path: undefined, size: 0 });
    expect(asked).toBe(1);
  });

  it('leave nothing behind when making fails, and take over the lock of a dead process', async () => {
    const [cache, made] = [newCache(), []];
    await expect(cache.deltas.getOrMake(key, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(filesBelow(cache.root)).toEqual([]);
    const lock = `${cache.paths.delta(key.from, key.to, key.encoder)}.lock`;
    mkdirSync(dirname(lock), { recursive: true });
    writeFileSync(lock, 'a holder elsewhere');
    utimesSync(lock, 1, 1);
    await cache.deltas.getOrMake(key, make(made));
    expect(made).toHaveLength(1);
  });
});

describe('deltas that only a signature vouches for', () => {
  const key = { from: DIFF_ID, to: digestOf('to'), encoder: 'e-1' };
  const writes = (text: string) => (destination: string) => writeFile(destination, text).then(() => true);
  const digest = digestOf('fetched');
  const never = (): Promise<boolean> => Promise.reject(new Error('not expected to run'));
  const deferred = (): { done: Promise<void>; resolve: () => void } => {
    let resolve = (): void => undefined;
    const done = new Promise<void>((settle) => (resolve = settle));
    return { done, resolve };
  };
  /** Holds work until `open` is called; `reached` resolves once the work has begun. */
  const gate = () => {
    const [begun, opened] = [deferred(), deferred()];
    const passing = (): Promise<void> => {
      begun.resolve();
      return opened.done;
    };
    return { passing, reached: begun.done, open: opened.resolve };
  };
  const fetched = async (): Promise<ReturnType<typeof newCache>> => {
    const cache = newCache();
    expect(await cache.deltas.getOrFetch(key, digest, writes('fetched'))).toMatchObject({ size: 7 });
    return cache;
  };
  const textOf = ({ path }: { path?: string | undefined } = {}): string => readFileSync(path!, 'utf8');

  it('are proved once before a build uses them that has the layers', async () => {
    const cache = await fetched();
    const proved: string[] = [];
    const prove = (path: string): Promise<boolean> => Promise.resolve(proved.push(path) > 0);
    for (let run = 0; run < 2; run++)
      expect(textOf(await cache.deltas.getOrMake(key, never, prove))).toBe('fetched');
    expect(proved).toEqual([cache.paths.delta(key.from, key.to, key.encoder)]);
  });

  it.each([
    ['wrong', () => Promise.resolve(false)],
    ['never proved', undefined],
  ])('are made again if they are %s', async (_, prove) => {
    const cache = await fetched();
    expect(textOf(await cache.deltas.getOrMake(key, writes('made'), prove))).toBe('made');
    expect(textOf(await cache.deltas.getOrMake(key, never, never))).toBe('made');
  });

  it('are used again only for the digest that is signed', async () => {
    const cache = await fetched();
    expect(textOf(await cache.deltas.getOrFetch(key, digest, never))).toBe('fetched');
    expect(await cache.deltas.getOrFetch(key, digestOf('other'), writes('wrong'))).toBeUndefined();
    expect(textOf(await cache.deltas.getOrFetch(key, digest, never))).toBe('fetched');
    expect(textOf(await cache.deltas.getOrFetch(key, digestOf('other'), writes('other')))).toBe('other');
  });

  it('are read once when they came', async () => {
    const bytesRead = (): number => Number(/rchar: (\d+)/.exec(readFileSync('/proc/self/io', 'utf8'))?.[1]);
    const text = 'fetched '.repeat(1e6);
    const before = bytesRead();
    await newCache().deltas.getOrFetch(key, digestOf(text), writes(text));
    expect((bytesRead() - before) / text.length).toBeCloseTo(1, 0);
  });

  it('do not replace one that was proved', async () => {
    const cache = newCache();
    await cache.deltas.getOrMake(key, writes('made'));
    expect(textOf(await cache.deltas.getOrFetch(key, digest, never))).toBe('made');
  });

  it.each([
    ['fails', false, () => Promise.resolve(false), 'made'],
    ['succeeds', true, () => Promise.resolve(true), 'fetched'],
    ['brings a wrong one', true, () => Promise.resolve(false), 'made'],
  ])('are made by a build that waits for a fetch that %s', async (_, comes, prove, expected) => {
    const cache = newCache();
    const { passing, reached, open } = gate();
    const fetching = cache.deltas.getOrFetch(key, digest, async (destination) => {
      await passing();
      await writeFile(destination, 'fetched');
      return comes;
    });
    await reached;
    const making = cache.deltas.getOrMake(key, writes('made'), prove);
    await sleep(50);
    open();
    expect((await fetching) !== undefined).toBe(comes);
    expect(textOf(await making)).toBe(expected);
  });

  it('are not fetched while another build makes them', async () => {
    const cache = newCache();
    const { passing, reached, open } = gate();
    const making = cache.deltas.getOrMake(key, async (destination) => {
      await passing();
      return writes('made')(destination);
    });
    await reached;
    const fetching = cache.deltas.getOrFetch(key, digest, never);
    await sleep(50);
    open();
    expect([textOf(await making), textOf(await fetching)]).toEqual(['made', 'made']);
  });
});

describe('a cache that can not be written', () => {
  it('is a UsageError, also for the lock of a delta', async () => {
    const cache = newCache();
    mkdirSync(dirname(cache.paths.deltas), { recursive: true });
    symlinkSync('/nonexistent/a', cache.paths.deltas);
    const key = { from: DIFF_ID, to: digestOf('to'), encoder: 'e-1' };
    await expect(cache.deltas.getOrMake(key, () => Promise.resolve(true))).rejects.toThrow(UsageError);
  });
});

describe('metadata', () => {
  const metadata = {
    version: '1.0.0',
    services: { web: { image: { ref: 'a:1', hash: DIFF_ID, layers: [{ diffID: DIFF_ID, size: 3 }] } } },
  };

  it('comes back, for its application only', async () => {
    const cache = newCache();
    await cache.lastArtifacts.remember('app', metadata);
    expect(await cache.lastArtifacts.delivered('app')).toEqual([metadata]);
    expect(await cache.lastArtifacts.delivered('../app')).toEqual([]);
  });

  it('keeps the delivery of the version before, and local builds apart', async () => {
    const { lastArtifacts } = newCache();
    const of = (version: string) => ({ ...metadata, version });
    await lastArtifacts.remember('app', of('1'));
    await lastArtifacts.remember('app', of('2'));
    await lastArtifacts.remember('app', of('2'));
    await lastArtifacts.rememberLocal('app', of('3-rc1'));
    expect((await lastArtifacts.delivered('app')).map(({ version }) => version)).toEqual(['2', '1']);
    expect((await lastArtifacts.local('app', AMD64))?.version).toBe('3-rc1');
    await lastArtifacts.remember('app', of('3'));
    expect(await lastArtifacts.local('app', AMD64)).toBeUndefined();
  });

  it('of several platforms do not replace each other', async () => {
    const { lastArtifacts } = newCache();
    const of = (version: string, platform: string) => ({ ...metadata, version, platform });
    const found = async (platform: typeof AMD64) =>
      (await lastArtifacts.delivered('app', platform)).map((one) => `${one.version} ${one.platform}`);
    for (const version of ['1', '2']) {
      for (const platform of ['linux/amd64', 'linux/arm64']) {
        await lastArtifacts.remember('app', of(version, platform));
        await lastArtifacts.rememberLocal('app', of(`${version}-rc`, platform));
      }
    }
    expect((await found(AMD64)).slice(0, 2)).toEqual(['2 linux/amd64', '1 linux/amd64']);
    expect((await found(ARM64)).slice(0, 2)).toEqual(['2 linux/arm64', '1 linux/arm64']);
    expect((await lastArtifacts.local('app', AMD64))?.platform).toBe('linux/amd64');
    expect([...(await lastArtifacts.all()).keys()]).toEqual(['app']);
  });

  it('that an older version of this tool wrote later come first', async () => {
    const cache = newCache();
    const of = (version: string) => ({ ...metadata, version, platform: 'linux/amd64' });
    await cache.lastArtifacts.remember('app', of('1'));
    await writeDocument(join(cache.root, 'applications/app.json'), of('2'));
    const found = await cache.lastArtifacts.delivered('app', AMD64);
    expect(found.map(({ version }) => version)).toEqual(['2', '1']);
  });

  it.each([
    [{ version: '1', services: { a: { image: { ref: 'a', hash: DIFF_ID } } } }, true],
    [{ version: '1', services: {} }, true],
    [{ version: 1, services: {} }, false],
    [{ version: '1' }, false],
    [{ version: '1', services: { a: {} } }, false],
    [{ version: '1', services: { a: { image: { ref: 'a', hash: 'md5:1' } } } }, false],
    [{ version: '1', services: { a: { image: { ref: 'a', hash: DIFF_ID, layers: [{}] } } } }, false],
  ])('in a file %j is valid: %s', async (document, valid) => {
    const path = join(temporaryFolder(), 'm.json');
    writeFileSync(path, JSON.stringify(document));
    if (valid) expect(await readMetadataFile(path)).toEqual(document);
    else await expect(readMetadataFile(path)).rejects.toThrow('expected {"version"');
  });
});

describe('choosePruned', () => {
  const entry = (path: string, size: number, used: number): CacheEntry => ({
    kind: 'layer',
    path,
    size,
    used,
  });
  const now = 10 * IN_USE_MS;
  const entries = [
    entry('new', 10, now - 1),
    entry('old', 10, 1),
    entry('older', 10, 0),
    entry('mid', 10, 2),
  ];
  const disk = { total: 1000, free: 195 };

  it.each([
    [{ limitSize: 40, limitPercent: 20 }, []],
    [{ limitSize: 39, limitPercent: 20 }, ['older']],
    [{ limitSize: 20, limitPercent: 20 }, ['older', 'old']],
    [{ limitSize: 0, limitPercent: 20 }, ['older', 'old', 'mid']],
    [{ limitPercent: 20 }, ['older']],
    [{ limitPercent: 19 }, []],
    [{ limitPercent: 100 }, ['older', 'old', 'mid']],
  ])('%j removes %j', (limits, removed) => {
    expect(choosePruned(entries, limits, disk, now).map(({ path }) => path)).toEqual(removed);
  });
});

describe('entries', () => {
  it('are listed, checked and removed', async () => {
    const cache = newCache();
    await store(cache, CONTENT);
    await store(cache, Buffer.from('{}'), digestOf('{}'), 'config');
    await cache.deltas.getOrMake({ from: DIFF_ID, to: DIFF_ID, encoder: 'e' }, async (path) => {
      await writeFile(path, 'delta');
      return true;
    });
    const entries = await cache.upkeep.list();
    expect(entries.map(({ kind, size }) => [kind, size])).toEqual([
      ['layer', CONTENT.length],
      ['config', 2],
      ['delta', 5],
    ]);
    expect(await Promise.all(entries.map(isWhole))).toEqual([true, true, true]);
    for (const { path } of entries) flip(path);
    expect(await Promise.all(entries.map(isWhole))).toEqual([false, false, false]);
    for (const entry of entries) await deleteEntry(entry);
    expect(filesBelow(cache.root)).toEqual([]);
  });

  it('are damaged if only the gzipped file next to the layer is', async () => {
    const cache = newCache();
    await store(cache, gzipSync(CONTENT), DIFF_ID);
    const [layer] = await cache.upkeep.list();
    expect(await isWhole(layer!)).toBe(true);
    flip(`${layer!.path}.gz`);
    expect(await isWhole(layer!)).toBe(false);
  });

  it('of the last hour survive pruning, and old left-overs of killed runs do not', async () => {
    const cache = newCache();
    await store(cache, CONTENT);
    const leftover = join(cache.paths.layers, '.tmp-1-x');
    writeFileSync(leftover, 'half');
    utimesSync(leftover, 1, 1);
    expect(await cache.upkeep.prune({ limitSize: 0, limitPercent: 20 })).toEqual([]);
    expect(filesBelow(cache.root)).toEqual([DIFF_ID.slice(7), `${DIFF_ID.slice(7)}.json`]);
  });

  it('of an empty cache are none', async () => {
    expect(await newCache().upkeep.list()).toEqual([]);
  });
});

describe('ensureWritable', () => {
  it('makes the cache private, and leaves nothing else', async () => {
    const cache = testCache({}, join(temporaryFolder(), 'a/b'));
    await cache.ensureWritable();
    expect([statSync(cache.root).mode & 0o777, filesBelow(cache.root)]).toEqual([0o700, []]);
  });

  it.each([
    ['below a file', join(import.meta.filename, 'cache')],
    ['in /proc', '/proc/x'],
    ['in /proc, deeper', '/proc/x/y/z'],
  ])('ends with a UsageError for a folder %s', async (_, folder) => {
    const cache = testCache({}, folder);
    await expect(cache.ensureWritable()).rejects.toThrow(UsageError);
    await expect(store(cache, CONTENT)).rejects.toThrow(UsageError);
  });

  it('warns of a folder that belongs to another user', async () => {
    if (process.geteuid?.() !== 0) return;
    const warnings: string[] = [];
    const log = createLog('warning', (line) => warnings.push(line));
    const cache = testCache({ log });
    await cache.ensureWritable();
    chownSync(cache.root, 65534, 65534);
    await cache.ensureWritable();
    expect(warnings).toEqual([expect.stringContaining('belongs to the user with the id 65534')]);
  });
});

describe('what this tool never puts into a cache', () => {
  const config = Buffer.from('{"os":"linux"}');

  it.each<[string, (path: string) => void]>([
    ['a FIFO', (path) => execFileSync('mkfifo', [path])],
    ['a link', (path) => symlinkSync('/etc/hostname', path)],
    ['a folder', (path) => mkdirSync(path)],
  ])('counts as missing: %s', async (_, make) => {
    const cache = newCache();
    await store(cache, CONTENT, DIFF_ID);
    await store(cache, config, digestOf(config), 'config');
    const [layer, stored] = [cache.paths.layer(DIFF_ID), cache.paths.config(digestOf(config))];
    for (const path of [layer, `${layer}.json`, stored]) {
      rmSync(path);
      make(path);
    }
    expect(await cache.layers.find(DIFF_ID)).toBeUndefined();
    expect(await cache.configs.find(digestOf(config))).toBeUndefined();
    expect(await cache.upkeep.deleteDamaged()).toEqual([]);
  });
});

describe('a downloaded file', () => {
  const write = async (path: string): Promise<void> => writeFile(path, CONTENT);
  const PLANTED: [string, (path: string) => void][] = [
    ['other bytes', (path) => writeFileSync(path, 'planted')],
    ['a FIFO', (path) => execFileSync('mkfifo', [path])],
    ['a link', (path) => symlinkSync('/etc/hostname', path)],
    ['a folder', (path) => mkdirSync(path)],
  ];

  it.each(PLANTED)('is downloaded again in place of %s', async (_, plant) => {
    const { downloads } = newCache();
    const path = await downloads.ensure(DIFF_ID, write);
    rmSync(path);
    plant(path);
    expect(await downloads.ensure(DIFF_ID, write)).toBe(path);
    expect(readFileSync(path).equals(CONTENT)).toBe(true);
    expect(readFileSync('/etc/hostname')).not.toEqual(CONTENT);
  });

  it('is not downloaded again, and counts as used', async () => {
    const { downloads } = newCache();
    const path = await downloads.ensure(DIFF_ID, write);
    utimesSync(path, 1, 1);
    await downloads.ensure(DIFF_ID, () => Promise.reject(new Error('downloaded')));
    expect(Date.now() - statSync(path).mtimeMs).toBeLessThan(60_000);
  });

  it('is verified', async () => {
    const { downloads, upkeep } = newCache();
    const path = await downloads.ensure(DIFF_ID, write);
    expect(await upkeep.deleteDamaged()).toEqual([]);
    writeFileSync(path, 'planted');
    expect(await upkeep.deleteDamaged()).toMatchObject([{ kind: 'download', path }]);
    expect(existsSync(path)).toBe(false);
  });
});

describe('locks', () => {
  const inFuture = (lock: string): void => utimesSync(lock, 4e9, 4e9);
  const old = (lock: string): void => utimesSync(lock, 1, 1);

  it.each([
    ['old', old],
    ['from the future', inFuture],
  ])('of another host are taken over where they are %s', async (_, age) => {
    const path = join(temporaryFolder(), 'x');
    writeFileSync(`${path}.lock`, '1 elsewhere');
    age(`${path}.lock`);
    expect(await withLock(path, () => Promise.resolve('done'))).toBe('done');
  });

  it('tell at info what a run waits for, and end with the signal', async () => {
    const path = join(temporaryFolder(), 'x');
    writeFileSync(`${path}.lock`, '1 elsewhere');
    const lines: string[] = [];
    const log = createLog('info', (line) => lines.push(line));
    const signal = AbortSignal.timeout(1500);
    await expect(withLock(path, () => Promise.resolve(), { log, signal })).rejects.toThrow('timeout');
    expect(lines).toEqual([expect.stringContaining('waiting for another run that works on x')]);
  });

  it.each(['.lock', '.lock-0123456789ab'])('that a kill left behind are pruned: %s', async (suffix) => {
    const cache = newCache();
    await store(cache, CONTENT);
    for (const age of [old, inFuture]) {
      const path = `${cache.paths.layer(digestOf('x'))}${suffix}`;
      writeFileSync(path, '1 elsewhere');
      age(path);
      await cache.upkeep.prune({ limitPercent: 0 });
      expect(existsSync(path)).toBe(false);
    }
  });
});
