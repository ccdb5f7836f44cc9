import { readFileSync, rmSync } from 'node:fs';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { Cache } from '../../src/cache/cache.ts';
import { deleteEntry, isWhole } from '../../src/cache/entries.ts';
import type { Digest } from '../../src/oci/digest.ts';
import { digestOf } from '../../src/oci/digest.ts';
import { testCache } from '../helpers/cache.ts';
import { filesBelow } from '../helpers/filesBelow.ts';
import { flip } from '../helpers/flip.ts';
import { noise } from '../helpers/noise.ts';

const MIB = 1 << 20;
const LARGEST = 64 * MIB;
const LARGE = Buffer.concat([noise(17 * MIB, 1), Buffer.alloc(MIB)]);
const SMALL = noise(MIB, 2);
const diffIDs = { large: digestOf(LARGE), small: digestOf(SMALL) };
const gzips = { large: gzipSync(LARGE, { level: 1 }), small: gzipSync(SMALL, { level: 1 }) };
const OTHER = digestOf('another layer');

interface Arrival {
  diffID?: Digest;
  bytes?: Buffer;
  blobDigest?: Digest | false;
  shipped?: Digest[];
}

async function store(cache: Cache, arrival: Arrival = {}): Promise<void> {
  const { diffID = diffIDs.large, bytes = gzips.large, blobDigest = digestOf(bytes) } = arrival;
  const { shipped = [diffID] } = arrival;
  await cache.sink(new Set(shipped))({
    ...{ kind: 'layer', digest: diffID, size: bytes.length, stream: Readable.from([bytes]) },
    ...(blobDigest === false ? {} : { blobDigest }),
  });
}

describe('a layer that is only shipped', () => {
  const { large, small } = diffIDs;

  it.each<[string, Arrival, string[]]>([
    ['is large and gzipped: stays so', {}, ['.gz']],
    ['is not only shipped: both', { shipped: [] }, ['', '.gz']],
    ['came from where nobody compares blobs: both', { blobDigest: false }, ['', '.gz']],
    ['is small: both', { diffID: small, bytes: gzips.small }, ['', '.gz']],
    ['came uncompressed: that', { bytes: LARGE }, ['']],
  ])('%s', async (_, arrival, suffixes) => {
    const cache = testCache({ largestLayer: LARGEST });
    await store(cache, arrival);
    const { diffID = large } = arrival;
    const name = diffID.slice('sha256:'.length);
    expect(filesBelow(cache.root).sort()).toEqual(
      [...suffixes, '.json'].map((suffix) => name + suffix).sort(),
    );
    expect(await cache.layers.sizeOf(diffID)).toBe(diffID === large ? LARGE.length : SMALL.length);
    expect((await cache.layers.find(diffID)) !== undefined).toBe(suffixes.includes(''));
    expect((await cache.layers.findPacked(diffID)) !== undefined).toBe(suffixes.includes('.gz'));
  });

  it('is found with what is known of it', async () => {
    const cache = testCache({ largestLayer: LARGEST });
    await store(cache);
    const gzipped = {
      path: `${cache.paths.layer(large)}.gz`,
      size: gzips.large.length,
      digest: digestOf(gzips.large),
    };
    expect(await cache.layers.findPacked(large)).toEqual({ diffID: large, size: LARGE.length, gzipped });
    expect(readFileSync(gzipped.path).equals(gzips.large)).toBe(true);
    expect(await cache.layers.findPacked(OTHER)).toBeUndefined();
  });

  it.each([
    ['a truncated gzip', gzips.large.subarray(0, -1000), 'gzip content is damaged'],
    ['a wrong sum', flipped(gzips.large), 'gzip content is damaged'],
    ['something behind its end', Buffer.concat([gzips.large, noise(99, 1)]), 'gzip content is damaged'],
    ['more than the limit', gzipSync(Buffer.concat([LARGE, Buffer.alloc(LARGEST)])), 'is larger than'],
  ])('leaves nothing where it is %s', async (_, bytes, message) => {
    const cache = testCache({ largestLayer: LARGEST });
    await expect(store(cache, { bytes })).rejects.toThrow(message);
    expect(filesBelow(cache.root)).toEqual([]);
  });
});

function flipped(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes);
  copy[bytes.length >> 1]! ^= 1;
  return copy;
}

describe('ensureUnpacked', () => {
  const { large } = diffIDs;

  it('makes the layer of what its registry had, once', async () => {
    const cache = testCache({ largestLayer: LARGEST });
    await store(cache);
    const made = await cache.layers.ensureUnpacked(large);
    expect(readFileSync(made!.path).equals(LARGE)).toBe(true);
    expect(made).toEqual({ ...(await cache.layers.findPacked(large)), path: cache.paths.layer(large) });
    expect(await cache.layers.ensureUnpacked(large)).toEqual(made);
  });

  it('is undefined where there is nothing', async () => {
    expect(await testCache().layers.ensureUnpacked(large)).toBeUndefined();
  });

  it.each([
    ['is another layer than its image says', OTHER, () => undefined],
    ['rotted', large, (cache: ReturnType<typeof testCache>) => flip(`${cache.paths.layer(large)}.gz`)],
  ])('does not give out what %s, and removes it', async (_, diffID, damage) => {
    const cache = testCache({ largestLayer: LARGEST });
    await store(cache, { diffID });
    damage(cache);
    expect(await cache.layers.ensureUnpacked(diffID)).toBeUndefined();
    expect(await cache.layers.sizeOf(diffID)).toBeUndefined();
  });

  it('leaves no half of it when it is broken off', async () => {
    const signal = AbortSignal.abort(new RangeError('enough'));
    const cache = testCache({ largestLayer: LARGEST, signal });
    await store(cache);
    await expect(cache.layers.ensureUnpacked(large)).rejects.toThrow('enough');
    expect(filesBelow(cache.root).sort()).toEqual(
      ['.gz', '.json'].map((suffix) => large.slice('sha256:'.length) + suffix),
    );
  });
});

describe('an entry that is there as its registry had it', () => {
  it.each<[string, (path: string) => void, boolean]>([
    ['nothing happened', () => undefined, true],
    ['it rotted', (path) => flip(`${path}.gz`), false],
    ['nobody knows any more what it was', (path) => rmSync(`${path}.json`), false],
  ])('is listed and whole where %s: %#', async (_, damage, expected) => {
    const cache = testCache({ largestLayer: LARGEST });
    await store(cache);
    const { large } = diffIDs;
    damage(cache.paths.layer(large));
    const entries = await cache.upkeep.list();
    expect(entries).toMatchObject([
      { kind: 'layer', digest: large, path: cache.paths.layer(large), size: gzips.large.length },
    ]);
    expect(await isWhole(entries[0]!)).toBe(expected);
    await deleteEntry(entries[0]!);
    expect(filesBelow(cache.root)).toEqual([]);
  });
});
