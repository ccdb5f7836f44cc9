import { describe, expect, it } from 'vitest';
import { digestOf } from '../../../src/oci/digest.ts';
import { formatReference, parseReference } from '../../../src/oci/reference.ts';
import { chooseBase } from '../../../src/pipeline/base/baseImages.ts';
import type { BaseImage } from '../../../src/pipeline/base/baseImages.ts';
import type { Images } from '../../../src/pipeline/images/images.ts';
import { MODES, sourceOrder } from '../../../src/pipeline/images/sources.ts';
import { isDeltaWorthwhile, planImage, unchangedPrefix } from '../../../src/pipeline/plan/plan.ts';
import { movedNames } from '../../../src/pipeline/base/checks.ts';
import { planBuild } from '../../../src/pipeline/plan/planBuild.ts';
import { groupImages, overrideImages } from '../../../src/pipeline/images/services.ts';

const ids = (letters: string) => Array.from(letters, (letter) => digestOf(letter));
const ALL = { delta: true, decode: true };
const SHORT = { omit: '-', identity: 'i', delta: 'd', full: 'f' } as const;

describe('planImage', () => {
  const base = (layers: string) => ({
    name: parseReference('a:1'),
    configDigest: digestOf(`old ${layers}`),
    layers: ids(layers),
  });

  it.each([
    // new, old, ability, kind, layers
    ['abc', 'abc', ALL, 'unchanged', '---'],
    ['abc', 'abx', ALL, 'delta', '--d'],
    ['axc', 'abc', ALL, 'delta', '-di'],
    ['xbc', 'abc', ALL, 'delta', 'dii'],
    ['xyz', 'abc', ALL, 'delta', 'ddd'],
    ['abcd', 'abc', ALL, 'delta', '---d'],
    ['ab', 'abc', ALL, 'unchanged', '--'],
    ['ac', 'abc', ALL, 'delta', '-i'],
    ['xabc', 'abc', ALL, 'delta', 'diii'],
    ['cba', 'abc', ALL, 'delta', 'iii'],
    ['aa', 'a', ALL, 'delta', '-i'],
    ['', '', ALL, 'unchanged', ''],
    ['ab', '', ALL, 'full', 'ff'],
    ['abc', 'abx', { delta: true, decode: false }, 'delta', '--f'],
    ['xbc', 'abc', { delta: true, decode: false }, 'full', 'fff'],
    ['abc', 'abc', { delta: false, decode: true }, 'full', 'fff'],
  ])('%s over %s', (layers, old, ability, kind, expected) => {
    const plan = planImage(ids(layers), base(old), ability);
    expect([plan.kind, plan.layers.map((layer) => SHORT[layer.kind]).join('')]).toEqual([kind, expected]);
    expect(plan.layers.map(({ diffID }) => diffID)).toEqual(ids(layers));
  });

  it('ships everything whole without a base', () => {
    expect(planImage(ids('ab'), undefined, ALL)).toMatchObject({
      kind: 'full',
      layers: [{ kind: 'full' }, { kind: 'full' }],
    });
  });
});

describe('unchangedPrefix', () => {
  it.each([
    ['abc', 'abc', 3],
    ['abc', 'ab', 2],
    ['ab', 'abc', 2],
    ['abc', 'bac', 0],
    ['', 'a', 0],
  ])('of %s and %s is %i', (layers, old, length) => {
    expect(unchangedPrefix(ids(layers), ids(old))).toBe(length);
  });
});

describe('isDeltaWorthwhile', () => {
  it.each([
    [10, 100, true],
    [89, 100, true],
    [90, 100, false],
    [100, 100, false],
    [0, 0, false],
  ])('%i bytes for %i: %s', (delta, layer, worthwhile) => {
    expect(isDeltaWorthwhile(delta, layer)).toBe(worthwhile);
  });
});

describe('sourceOrder', () => {
  it.each([
    ['registry-first', ['registry', 'daemon']],
    ['local-first', ['cache', 'daemon', 'registry']],
    ['online', ['registry']],
    ['offline', ['cache', 'daemon']],
  ] as const)('%s is %j', (mode, order) => {
    expect(sourceOrder(mode)).toEqual(order);
  });

  it('is known for every mode', () => {
    for (const mode of MODES) expect(sourceOrder(mode).length).toBeGreaterThan(0);
  });
});

const platform = { os: 'linux', architecture: 'amd64' };
const source = { name: 's', resolve: () => Promise.resolve(undefined), fetch: () => Promise.resolve() };

function found(service: string, name: string, content: string): Parameters<typeof groupImages>[0][number] {
  const image = {
    reference: parseReference(name),
    platform,
    configDigest: digestOf(content),
    layers: [],
    source: 's',
  };
  return { service, image, source };
}

describe('groupImages', () => {
  it.each([
    ['one image for two services', [found('b', 'x:1', 'X'), found('a', 'x:1', 'X')], [['x:1', ['a', 'b']]]],
    [
      'two names of one image',
      [found('b', 'x:1', 'X'), found('a', 'x:2', 'X'), found('c', 'y', 'X')],
      [['x:2', ['a', 'b', 'c']]],
    ],
    [
      'one name with two contents',
      [found('a', 'x:1', 'X'), found('b', 'x:1', 'Y')],
      [
        ['x:1', ['a']],
        [`x:1-${digestOf('Y').slice(7, 19)}`, ['b']],
      ],
    ],
    ['a digest', [found('a', `x@${digestOf('m')}`, 'X')], [[`x:sha256-${digestOf('m').slice(7)}`, ['a']]]],
  ])('%s', (_, resolved, expected) => {
    const images = groupImages(resolved);
    expect(images.map(({ name, services }) => [formatReference(name), services])).toEqual(expected);
    expect(new Set(images.map(({ id }) => id)).size).toBe(images.length);
  });
});

describe('overrideImages', () => {
  it('replaces images and adds archives, by service', () => {
    const services = [{ service: 'a', image: 'x' }, { service: 'b' }];
    expect(overrideImages(services, new Map([['b', 'y']]), new Map([['a', '/f']]))).toEqual([
      { service: 'a', image: 'x', archive: '/f' },
      { service: 'b', image: 'y' },
    ]);
  });
});

const baseImage = (name: string, content: string): BaseImage => ({
  name: parseReference(name),
  configDigest: digestOf(content),
  layers: [digestOf('layer')],
  images: {} as Images,
  metadata: { ref: name, hash: digestOf(content) },
});

describe('chooseBase', () => {
  const bases = new Map([
    ['web', baseImage('web:1', 'W1')],
    ['db', baseImage('db:1', 'D1')],
  ]);

  it.each([
    ['the same service', ['web'], 'x:2', 'W2', 'web:1'],
    ['the same content under another service', ['front'], 'x:2', 'D1', 'db:1'],
    ['the same content before the same service', ['web'], 'x:2', 'D1', 'db:1'],
    ['the same repository under another service', ['front'], 'web:2', 'W2', 'web:1'],
    ['the same repository before the same service', ['web'], 'db:2', 'D2', 'db:1'],
    ['nothing for a new service', ['new'], 'x:2', 'N', undefined],
    ['the first service that had one', ['new', 'db'], 'x:2', 'N', 'db:1'],
  ])('is %s', (_, services, name, content, expected) => {
    const image = {
      services,
      name: parseReference(name),
      image: { configDigest: digestOf(content) },
    } satisfies Parameters<typeof chooseBase>[0];
    const base = chooseBase(image, bases);
    expect(base && formatReference(base.name)).toBe(expected);
  });
});

const bases = new Map([
  ['a', baseImage('x:1', 'A1')],
  ['b', baseImage('y:2', 'B1')],
]);

describe('movedNames', () => {
  it.each([
    ['a new tag', found('a', 'x:2', 'A2'), []],
    ['nothing new', found('a', 'x:1', 'A1'), []],
    ['another content', found('a', 'x:1', 'A2'), ['x:1']],
    ['another content for another service', found('c', 'y:2', 'C'), ['y:2']],
  ])('of %s', (_, resolved, expected) => {
    const services = {
      a: { image: baseImage('x:1', 'A1').metadata },
      b: { image: baseImage('y:2', 'B1').metadata },
    };
    const moved = movedNames(groupImages([resolved]), { metadata: { version: '1', services } });
    expect(moved.map(({ name }) => formatReference(name))).toEqual(expected);
  });
});

describe('planBuild', () => {
  const chosen = (...resolved: ReturnType<typeof found>[]): Record<string, string | undefined> => {
    const layers = [{ diffID: digestOf('new layer') }];
    const images = groupImages(resolved.map((one) => ({ ...one, image: { ...one.image, layers } })));
    const names = { application: 'shop', version: '2', artifactName: 'shop-2' };
    const plan = planBuild(names, images, ALL, undefined, bases);
    return Object.fromEntries(
      plan.images.map(({ image, base }) => [formatReference(image.name), base && formatReference(base.name)]),
    );
  };

  it.each([
    ['the base images', [found('a', 'x:2', 'A2'), found('b', 'y:3', 'B2')], { 'x:2': 'x:1', 'y:3': 'y:2' }],
    ['one whose own tag moved', [found('a', 'x:1', 'A2')], { 'x:1': 'x:1' }],
    [
      'none whose name another new image takes',
      [found('a', 'z:1', 'A2'), found('c', 'x:1', 'C')],
      { 'z:1': undefined, 'x:1': 'x:1' },
    ],
    [
      'one whose name stays with its content',
      [found('a', 'x:2', 'A2'), found('c', 'x:1', 'A1')],
      { 'x:2': 'x:1', 'x:1': 'x:1' },
    ],
  ])('builds against %s', (_, resolved, expected) => {
    expect(chosen(...resolved)).toEqual(expected);
  });
});
