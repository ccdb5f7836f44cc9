import { describe, expect, test } from 'vitest';
import { SHARED_CACHE_OPTIONS, parseCachePlace } from '../../../src/commands/options/sharedCache.ts';
import { environmentOptions } from '../../../src/config.ts';
import { UsageError } from '../../../src/errors.ts';

describe('a place of a shared cache', () => {
  test.each([
    ['type=registry,ref=r:1/x', '--cache-to', 'r:1 x latest'],
    ['type=registry,ref=r.io/x/y:shop', '--cache-from', 'r.io x/y shop'],
    ['ref=r.io/x:a,type=registry', '--cache-from', 'r.io x a'],
    ['type=local,src=/a/b', '--cache-from', '/a/b'],
    ['type=local,dest=a=b', '--cache-to', '/here/a=b'],
  ] as const)('%s', (text, option, expected) => {
    const place = parseCachePlace(text, option, '/here');
    if (place.type === 'local') expect(place.folder).toBe(expected);
    else {
      const { registry, repository, tag } = place.reference;
      expect(`${registry} ${repository} ${tag}`).toBe(expected);
    }
  });

  test.each([
    [
      'type=registry',
      /--cache-from "type=registry": expected type=registry,ref=HOST\/REPO\[:TAG\] or type=local,src=FOLDER/,
    ],
    ['', /expected type=registry,ref=/],
    ['type=s3,bucket=x', /expected type=registry,ref=/],
    ['type=local,src=', /expected type=registry,ref=/],
    ['type=local,src=x,dest=x', /unknown field dest=/],
    ['type=registry,ref=r:1/x,mode=max', /unknown field mode=/],
    ['type=registry,ref=shop/cache', /names no registry/],
    ['type=registry,ref=r:1/X', /--cache-from "type=registry,ref=r:1\/X": invalid image reference/],
    [`type=registry,ref=r:1/x:${'t'.repeat(61)}`, /a tag of at most 60 characters/],
    [`type=registry,ref=r:1/x@sha256:${'0'.repeat(64)}`, /expected no digest/],
    ['user:secret@r:1/x', /--cache-from "\*\*\*@r:1\/x"/],
  ])('is not %s', (text, message) => {
    const parse = (): unknown => parseCachePlace(text, '--cache-from', '/here');
    expect(parse).toThrow(UsageError);
    expect(parse).toThrow(message);
  });

  test.each(['cacheFrom', 'cacheTo'] as const)('in the variable of %s has commas', (name) => {
    const variable = { cacheFrom: 'CACHE_FROM', cacheTo: 'CACHE_TO' }[name];
    const [path, option] = name === 'cacheFrom' ? ['src', '--cache-from'] : ['dest', '--cache-to'];
    const text = `type=registry,ref=r:1/x\ntype=local,${path}=/a\n`;
    const found = environmentOptions({ [`MENDER_DOCKER_DELTA_${variable}`]: text }, SHARED_CACHE_OPTIONS);
    const places = (found[name] as string[]).map((one) => parseCachePlace(one, option as '--cache-to', '/'));
    expect(places.map(({ type }) => type)).toEqual(['registry', 'local']);
  });
});
