import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { cacheSink } from '../../src/cache/sink.ts';
import { noProgress } from '../../src/io/progress.ts';
import { EXIT } from '../../src/errors.ts';
import { digestOf } from '../../src/oci/digest.ts';
import { testCache } from '../helpers/cache.ts';
import { compiledSources } from '../helpers/compiled.ts';
import { filesBelow } from '../helpers/filesBelow.ts';
import { noise } from '../helpers/noise.ts';

type TestCache = ReturnType<typeof testCache>;

const MIB = 1 << 20;
const LIMIT = 30 * MIB;

const LAYERS = [1, 2, 3].map((seed) => noise(18 * MIB, seed));
const [CONTENT] = LAYERS as [Buffer];
const DIFF_ID = digestOf(CONTENT);
const GZIPPED = gzipSync(CONTENT, { level: 1 });

/** The sink as a package has it: only that starts threads. */
let sink: typeof cacheSink;
const compiled = mkdtempSync(join(tmpdir(), 'mender-docker-delta-test-'));
beforeAll(async () => {
  ({ cacheSink: sink } = (await import(join(compiledSources(compiled), 'cache/sink.js'))) as {
    cacheSink: typeof cacheSink;
  });
});
afterAll(() => rmSync(compiled, { recursive: true }));

function pieces(bytes: Buffer): Buffer[] {
  return Array.from({ length: Math.ceil(bytes.length / MIB) }, (_, at) =>
    bytes.subarray(at * MIB, (at + 1) * MIB),
  );
}

async function store(cache: TestCache, stream: Readable, digest = DIFF_ID): Promise<void> {
  await sink(cache.paths, { largestLayer: LIMIT, progress: noProgress })({
    kind: 'layer',
    digest,
    size: GZIPPED.length,
    stream,
  });
}

/** As a layer that is only shipped. */
async function ship(cache: TestCache, stream: Readable): Promise<void> {
  const delivery = { kind: 'layer', digest: DIFF_ID, size: GZIPPED.length, stream } as const;
  const options = { largestLayer: LIMIT, progress: noProgress, shipped: new Set([DIFF_ID]) };
  await sink(cache.paths, options)({ ...delivery, blobDigest: digestOf(GZIPPED) });
}

describe('a large layer that is unpacked in a thread while it arrives', () => {
  it('is stored in both forms, several at once', async () => {
    const cache = testCache();
    await Promise.all(
      LAYERS.map((content) =>
        store(cache, Readable.from(pieces(gzipSync(content, { level: 1 }))), digestOf(content)),
      ),
    );
    for (const content of LAYERS) {
      const found = await cache.layers.find(digestOf(content));
      expect(found?.size).toBe(content.length);
      expect(readFileSync(found!.path).equals(content)).toBe(true);
      expect(digestOf(readFileSync(found!.gzipped!.path))).toBe(found!.gzipped!.digest);
    }
  });

  it('may have several members', async () => {
    const cache = testCache();
    const members = pieces(CONTENT).map((piece) => gzipSync(piece, { level: 1 }));
    await store(cache, Readable.from(members));
    expect((await cache.layers.find(DIFF_ID))?.size).toBe(CONTENT.length);
  });

  it.each([
    ['one member', () => pieces(GZIPPED)],
    ['several', () => pieces(CONTENT).map((piece) => gzipSync(piece, { level: 1 }))],
  ])('is only measured where it is only shipped, with %s', async (_, chunks) => {
    const cache = testCache();
    await ship(cache, Readable.from(chunks()));
    expect((await cache.layers.findPacked(DIFF_ID))?.size).toBe(CONTENT.length);
    expect(await cache.layers.find(DIFF_ID)).toBeUndefined();
  });

  const middle = GZIPPED.length >> 1;
  const flipped = Buffer.from(GZIPPED);
  flipped[middle]! ^= 1;
  async function* breakingOff(): AsyncGenerator<Buffer> {
    yield await Promise.resolve(GZIPPED.subarray(0, middle));
    throw new RangeError('the connection broke');
  }
  const { integrity, unsupported } = EXIT;

  it.each([
    ['has another diffID', () => pieces(GZIPPED), integrity, 'expected sha256:', digestOf('other')],
    ['was damaged', () => pieces(flipped), integrity, `layer ${DIFF_ID}: `, DIFF_ID],
    ['was truncated', () => pieces(GZIPPED.subarray(0, middle)), integrity, 'is damaged', DIFF_ID],
    ['has bytes after its end', () => [GZIPPED, noise(MIB, 9)], integrity, 'is damaged', DIFF_ID],
    ['exceeds the limit', () => [gzipSync(Buffer.alloc(LIMIT + 1))], integrity, 'is larger than', DIFF_ID],
    ['is xz inside', () => [Buffer.from('fd377a585a0000', 'hex')], unsupported, 'with xz', DIFF_ID],
    ['breaks off on its way', breakingOff, undefined, 'the connection broke', DIFF_ID],
  ] as const)('leaves nothing where it %s', async (_, chunks, exitCode, message, digest) => {
    const cache = testCache();
    const failure: unknown = await store(cache, Readable.from(chunks()), digest).catch(
      (error: unknown) => error,
    );
    expect(failure).toMatchObject({ message: expect.stringContaining(message) as string });
    expect((failure as { exitCode?: number }).exitCode).toBe(exitCode);
    expect(filesBelow(cache.root)).toEqual([]);
  });

  it.each([
    ['was damaged', () => pieces(flipped), 'is damaged'],
    ['exceeds the limit', () => [gzipSync(Buffer.alloc(LIMIT + 1))], 'is larger than'],
    ['breaks off on its way', breakingOff, 'the connection broke'],
  ] as const)('leaves nothing where it is only shipped and %s', async (_, chunks, message) => {
    const cache = testCache();
    await expect(ship(cache, Readable.from(chunks()))).rejects.toThrow(message);
    expect(filesBelow(cache.root)).toEqual([]);
  });

  it('says in the thread what it could not write', async () => {
    const cache = testCache();
    mkdirSync(cache.paths.layer(DIFF_ID), { recursive: true });
    await expect(store(cache, Readable.from(pieces(GZIPPED)))).rejects.toMatchObject({
      message: `writing ${cache.paths.layer(DIFF_ID)}: it is a folder`,
      exitCode: EXIT.usage,
    });
    expect(filesBelow(cache.root)).toEqual([]);
  });
});
