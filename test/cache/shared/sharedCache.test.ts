import type { KeyObject } from 'node:crypto';
import { generateKeyPairSync } from 'node:crypto';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { folderStore } from '../../../src/cache/shared/folderStore.ts';
import type { SharedCacheOptions } from '../../../src/cache/shared/sharedCache.ts';
import { SharedCache } from '../../../src/cache/shared/sharedCache.ts';
import type { Solution } from '../../../src/cache/shared/solution.ts';
import { signSolution } from '../../../src/cache/shared/solution.ts';
import { IntegrityError, NotFoundError } from '../../../src/errors.ts';
import { createLog } from '../../../src/io/log.ts';
import { digestOf } from '../../../src/oci/digest.ts';
import type { EntryStore, FoundEntry } from '../../../src/oci/entryStore.ts';
import { temporaryFolder } from '../../helpers/temporary.ts';

const [a, b] = [digestOf('a'), digestOf('b')];
const DAY = 24 * 3_600_000;
const KEY = { from: a, to: b, encoder: 'builtin-3-default' };
const SOLUTION: Solution = {
  version: 1,
  ...{ base: [a], image: [b], changed: [b], encoder: KEY.encoder },
  deltas: [{ to: b, from: a, fromSize: 10, digest: digestOf('delta'), size: 5 }],
  sizes: [{ diffID: b, size: 1 }],
};

function opened(options: Partial<SharedCacheOptions>): { cache: SharedCache; warnings: string[] } {
  const warnings: string[] = [];
  const log = createLog('warning', (line) => warnings.push(line));
  const { signal } = new AbortController();
  return { cache: new SharedCache({ from: [], to: [], log, signal, ...options }), warnings };
}

/** A place that holds nothing and takes everything. */
function placeWith(parts: Partial<EntryStore>): EntryStore {
  const no = (): Promise<undefined> => Promise.resolve(undefined);
  return { place: 'the place', fetch: no, findSame: no, store: () => Promise.resolve(), ...parts };
}

function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: it fails, lstat '/net/cache'`), { code, syscall: 'lstat' });
}

describe('a place', () => {
  test.each(['ESTALE', 'EHOSTDOWN', 'ETIMEDOUT', 'ENOTCONN', 'EBUSY', 'EREMOTEIO'])(
    'that fails with %s costs a warning, and is not asked again',
    async (code) => {
      const asked: string[] = [];
      const fails = (name: string): Promise<never> => {
        asked.push(name);
        return Promise.reject(systemError(code));
      };
      const place = placeWith({ fetch: fails, findSame: fails, store: fails });
      const { cache, warnings } = opened({ from: [place], to: [place] });
      expect(await cache.fetchDelta(KEY, '/nonexistent/delta', 10)).toBe(false);
      await cache.storeDelta(KEY, '/nonexistent/delta');
      expect(asked).toHaveLength(1);
      expect(warnings).toHaveLength(1);
      expect(warnings[0]).toMatch(new RegExp(`the place: ${code}: .*; continuing without it`));
    },
  );

  test('with a damaged entry is asked for others', async () => {
    let asked = 0;
    const fetch = (): Promise<FoundEntry> =>
      ++asked === 1 ? Promise.reject(new IntegrityError('it is damaged')) : Promise.resolve({ stored: 0 });
    const { cache, warnings } = opened({ from: [placeWith({ fetch })] });
    expect(await cache.fetchDelta(KEY, '/nonexistent/delta', 10)).toBe(false);
    expect(await cache.fetchDelta(KEY, '/nonexistent/delta', 10)).toBe(true);
    expect(warnings.join()).toMatch(/the place: it is damaged; doing without this entry/);
    expect(warnings.join()).not.toMatch(/continuing without it/);
  });

  test('that does not exist when something is stored costs a warning, and is not asked again', async () => {
    let asked = 0;
    const store = (): Promise<never> => {
      asked += 1;
      return Promise.reject(new NotFoundError('no such repository'));
    };
    const { cache, warnings } = opened({ to: [placeWith({ store })] });
    for (const encoder of ['one', 'other'])
      expect(await cache.storeDelta({ ...KEY, encoder }, '/nonexistent/delta')).toBe(false);
    expect(asked).toBe(1);
    expect(warnings).toEqual([
      expect.stringMatching(/the place: no such repository; continuing without it/) as string,
    ]);
  });

  test('that this run creates may be missing when it is read', async () => {
    const fetch = (): Promise<never> => Promise.reject(new NotFoundError('no such folder'));
    const place = placeWith({ fetch });
    const { cache, warnings } = opened({ from: [place], to: [place] });
    expect(await cache.fetchDelta(KEY, '/nonexistent/delta', 10)).toBe(false);
    expect(await cache.storeDelta(KEY, '/nonexistent/delta')).toBe(true);
    expect(warnings).toEqual([]);
  });

  test('does not hide a bug', async () => {
    const fetch = (): Promise<never> => Promise.reject(new TypeError('x is undefined'));
    const { cache } = opened({ from: [placeWith({ fetch })] });
    await expect(cache.fetchDelta(KEY, '/nonexistent/delta', 10)).rejects.toThrow(TypeError);
  });

  test.each([
    [0, false],
    [6, false],
    [8, true],
    [1000, true],
    [-1, false],
    // A clock that is wrong must not keep an entry for ever.
    [-30, true],
  ])('gets an entry that is right and %s days old again: %s', async (days, isStored) => {
    let stored = 0;
    const store = (): Promise<void> => {
      stored += 1;
      return Promise.resolve();
    };
    const findSame = (): Promise<FoundEntry> => Promise.resolve({ stored: Date.now() - days * DAY });
    await opened({ to: [placeWith({ findSame, store })] }).cache.storeDelta(KEY, '/nonexistent/delta');
    expect(stored).toBe(isStored ? 1 : 0);
  });

  test('gets an entry without a date again', async () => {
    let stored = 0;
    const store = (): Promise<void> => {
      stored += 1;
      return Promise.resolve();
    };
    const findSame = (): Promise<FoundEntry> => Promise.resolve({ stored: 0 });
    await opened({ to: [placeWith({ findSame, store })] }).cache.storeDelta(KEY, '/nonexistent/delta');
    expect(stored).toBe(1);
  });

  test('has the entry when storing ends, also for a build that asked second', async () => {
    let stored = 0;
    const store = async (): Promise<void> => {
      await sleep(50);
      stored++;
    };
    const { cache } = opened({ to: [placeWith({ store })] });
    const first = cache.storeDelta(KEY, '/nonexistent/delta');
    await cache.storeDelta(KEY, '/nonexistent/delta');
    expect(stored).toBe(1);
    await first;
    expect(stored).toBe(1);
  });
});

describe('a stored solution', () => {
  const ec = generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey;
  const stranger = generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey;

  async function store(folder: string, key: KeyObject): Promise<string> {
    const { cache, warnings } = opened({ to: [folderStore(folder)], readKey: () => Promise.resolve(key) });
    await cache.storeSolution(SOLUTION);
    expect(warnings).toEqual([]);
    return join(folder, readdirSync(folder)[0]!);
  }

  test('is left alone if it is right, though ECDSA signs at random', async () => {
    const folder = temporaryFolder();
    const path = await store(folder, ec);
    const before = readFileSync(path, 'utf8');
    await store(folder, ec);
    expect(readFileSync(path, 'utf8')).toBe(before);
  });

  test.each<[string, string]>([
    ['no JSON', '{'],
    ['signed by another', signSolution(SOLUTION, stranger)],
    ['another answer', signSolution({ ...SOLUTION, deltas: [] }, ec)],
    ['too large', ' '.repeat(2 << 20)],
  ])('that is %s is replaced', async (_, text) => {
    const folder = temporaryFolder();
    writeFileSync(await store(folder, ec), text);
    const path = await store(folder, ec);
    expect(JSON.parse(readFileSync(path, 'utf8'))).toMatchObject({ solution: JSON.stringify(SOLUTION) });
    const { cache } = opened({ from: [folderStore(folder)], readKey: () => Promise.resolve(ec) });
    expect(await cache.findSolution(SOLUTION)).toEqual(SOLUTION);
  });
});
