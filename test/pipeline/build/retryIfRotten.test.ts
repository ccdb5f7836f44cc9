import { rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { IntegrityError, NetworkError } from '../../../src/errors.ts';
import { digestOf } from '../../../src/oci/digest.ts';
import { retryIfRotten } from '../../../src/pipeline/build/retryIfRotten.ts';
import { testCache } from '../../helpers/cache.ts';
import { flip } from '../../helpers/flip.ts';

const CONTENT = Buffer.from('layer content '.repeat(1000));
const DIFF_ID = digestOf(CONTENT);
const FAILURE = new IntegrityError('the artifact is wrong');

type TestCache = ReturnType<typeof testCache>;

const fetchInto = (cache: TestCache, bytes = CONTENT): Promise<void> =>
  cache.sink()({ kind: 'layer', digest: DIFF_ID, stream: Readable.from([bytes]) });

/** Another build, in this process, that meets the same damage. */
const removeElsewhere = async (cache: TestCache): Promise<void> => {
  expect(await cache.layers.removeDamaged([DIFF_ID])).toBe(true);
};

/**
 * Returns how often the layer is read by builds that fail unless it is whole. The first one fails
 * after `meanwhile`, in any case.
 */
async function attempts(
  cache: TestCache,
  meanwhile: (cache: TestCache) => Promise<unknown> | undefined,
  failure: unknown = FAILURE,
): Promise<number> {
  let count = 0;
  const build = async (): Promise<number> => {
    count += 1;
    if (count === 1) {
      await meanwhile(cache);
      throw failure;
    }
    if ((await cache.layers.ensureUnpacked(DIFF_ID)) === undefined) await fetchInto(cache);
    const { path } = (await cache.layers.find(DIFF_ID))!;
    expect((await readFile(path)).equals(CONTENT)).toBe(true);
    return count;
  };
  return retryIfRotten(build, [DIFF_ID, digestOf('never fetched')], cache.layers);
}

const PATHS = {
  plain: (cache: TestCache) => cache.paths.layer(DIFF_ID),
  gzipped: (cache: TestCache) => `${cache.paths.layer(DIFF_ID)}.gz`,
};

describe.each(['plain', 'gzipped'] as const)('a layer that is stored %s', (form) => {
  const damaged = async (): Promise<TestCache> => {
    const cache = testCache();
    await fetchInto(cache, form === 'plain' ? CONTENT : gzipSync(CONTENT));
    flip(PATHS[form](cache));
    return cache;
  };

  test.each<[string, (cache: TestCache) => Promise<unknown> | undefined]>([
    ['is damaged', () => undefined],
    ['was removed by another build', removeElsewhere],
    [
      'was removed and fetched again by another build',
      async (cache) => {
        await removeElsewhere(cache);
        await fetchInto(cache);
      },
    ],
    [
      'was removed by another process',
      (cache) => {
        rmSync(cache.root, { recursive: true });
        return undefined;
      },
    ],
  ])('and %s is fetched again', async (_, meanwhile) => {
    expect(await attempts(await damaged(), meanwhile)).toBe(2);
  });

  test('and is gone before it can be read is fetched again', async () => {
    const gone = (cache: TestCache) => readFile(cache.paths.layer(digestOf('none')));
    const cache = await damaged();
    const error: unknown = await gone(cache).catch((caught: unknown) => caught);
    expect(await attempts(cache, removeElsewhere, error)).toBe(2);
  });
});

test.each<[string, (cache: TestCache) => Promise<void>, Error]>([
  ['whole layers', (cache) => fetchInto(cache), FAILURE],
  ['layers that were never there', () => Promise.resolve(), FAILURE],
  [
    'a server that fails',
    async (cache) => {
      await fetchInto(cache);
      flip(cache.paths.layer(DIFF_ID));
    },
    new NetworkError('no answer'),
  ],
])('a build that fails with %s is not repeated', async (_, prepare, failure) => {
  const cache = testCache();
  await prepare(cache);
  await expect(attempts(cache, () => undefined, failure)).rejects.toBe(failure);
});
