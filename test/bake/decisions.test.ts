import { describe, expect, it } from 'vitest';
import { checkGroups, chooseTargets } from '../../src/bake/chooseTargets.ts';
import { inheritAll } from '../../src/bake/inherit.ts';
import { budgetOf } from '../../src/bake/jobs.ts';
import { matrixOf } from '../../src/bake/matrix.ts';
import { override, parseOverride, requireTargets } from '../../src/bake/override.ts';
import { parseBakeFile } from '../../src/bake/parseBakeFile.ts';
import { parseShard, shardOf } from '../../src/bake/shard.ts';
import type { BakeFile } from '../../src/bake/model.ts';
import { parseYaml } from '../../src/io/yaml.ts';

const fileOf = (text: string) => parseBakeFile(parseYaml(text), '/b.yaml');
const inherit = (name: string, file: BakeFile) => inheritAll(file).find((target) => target.name === name)!;

describe('the form of a bake file', () => {
  it.each([
    ['', '/b.yaml: expected keys and values, found null'],
    ['[]', '/b.yaml: expected keys and values, found []'],
    ['targets: {}', 'unknown key "targets"'],
    ['target: [shop]', '/b.yaml: target: expected keys and values'],
    ['target: {shop: yes please}', 'target shop: expected keys and values, found "yes please"'],
    ['target: {"a@b": {}}', 'target "a@b": expected a name'],
    ['target: {"-a": {}}', 'target "-a": expected a name'],
    ['target: {a: {inherits: 1}}', 'target a: inherits: expected a list of names, found [1]'],
    ['target: {a: {variables: [TAG]}}', 'target a: variables: expected keys and values'],
    ['target: {a: {variables: {TAG: [1]}}}', 'target a: variables: TAG: expected a text, found [1]'],
    ['group: {all: shop}', 'group all: expected keys and values, found "shop"'],
    ['group: {all: {target: [a]}}', 'group all: targets: expected a list of names, found nothing'],
    ['{group: {a: []}, target: {a: {}}}', 'a is a group and a target'],
  ])('%s: %s', (text, message) => {
    expect(() => fileOf(text)).toThrow(message);
  });

  it('takes groups as a list, or as buildx writes them', () => {
    const { groups } = fileOf('group: {one: [a, b], two: {targets: [c]}}');
    expect([...groups]).toEqual([
      ['one', ['a', 'b']],
      ['two', ['c']],
    ]);
  });

  it('takes __proto__ as a name like any other', () => {
    expect([...fileOf('target: {__proto__: {effort: fast}}').targets.keys()]).toEqual(['__proto__']);
  });
});

describe('inheritance', () => {
  const file = fileOf(`
target:
  _all: {module: app, platform: [linux/amd64, linux/arm64], variables: {TAG: 1, SITE: a}}
  _fast: {effort: fast, module: docker-compose}
  shop: {inherits: [_all, _fast], manifest: shop, variables: {TAG: 2}}
  till: {inherits: shop, platform: linux/arm64}`);

  it.each([
    ['_all', { module: 'app', platform: ['linux/amd64', 'linux/arm64'] }, { TAG: '1', SITE: 'a' }],
    [
      'shop',
      {
        module: 'docker-compose',
        effort: 'fast',
        platform: ['linux/amd64', 'linux/arm64'],
        manifest: 'shop',
      },
      { TAG: '2', SITE: 'a' },
    ],
    [
      'till',
      { module: 'docker-compose', effort: 'fast', platform: 'linux/arm64', manifest: 'shop' },
      { TAG: '2', SITE: 'a' },
    ],
  ])('gives %s its settings', (name, settings, variables) => {
    expect(inherit(name, file)).toEqual({ name, settings, variables });
  });

  it('keeps the key __proto__', () => {
    const own = fileOf('target: {a: {__proto__: {effort: fast}, variables: {__proto__: x}}}');
    const { settings, variables } = inherit('a', own);
    expect([Object.keys(settings), Object.keys(variables)]).toEqual([['__proto__'], ['__proto__']]);
  });

  it.each([
    ['lost: {inherits: [shap]}', 'target lost: there is no target "shap"'],
    [
      'one: {inherits: [two]}, two: {inherits: [three]}, three: {inherits: [one]}',
      'targets inherit from each other: one, two, three, one',
    ],
    ['self: {inherits: [self]}', 'targets inherit from each other: self, self'],
  ])('refuses %s: %s', (text, message) => {
    expect(() => inheritAll(fileOf(`target: {${text}}`))).toThrow(message);
  });
});

/** A chain of parts, each of which names the next one twice. */
const chain = (length: number, part: (name: string, next: string) => string): string[] =>
  Array.from({ length }, (_, n) => part(`t${n}`, `t${n + 1}`));

const heirs = (length: number) => chain(length, (name, next) => `${name}: {inherits: [${next}, ${next}]}`);
const nested = (length: number) => chain(length, (name, next) => `${name}: [${next}, ${next}]`);

/** Layers of `width` parts, each of which names all of the layer below. */
const layers = (height: number, width: number, part: (name: string, below: string) => string): string =>
  Array.from({ length: height * width }, (_, n) => {
    const above = Math.floor(n / width) + 1;
    return part(`t${n}`, Array.from({ length: width }, (_none, k) => `t${above * width + k}`).join(', '));
  }).join(', ');

const leaves = (from: number, count: number): string =>
  Array.from({ length: count }, (_, n) => `t${from + n}: {effort: fast}`).join(', ');

describe('a file that is made to take forever', () => {
  it('of targets, 60 levels deep', () => {
    const file = fileOf(`target: {${heirs(60).join(', ')}, t60: {effort: fast}}`);
    expect(inherit('t0', file).settings).toEqual({ effort: 'fast' });
  });

  it.each([
    ['from its top', heirs(101).join(', ')],
    ['from its bottom', heirs(101).reverse().join(', ')],
    ['far too deep', heirs(999).join(', ')],
  ])('of too many levels of targets, %s', (_, text) => {
    const length = text.split('inherits').length - 1;
    expect(() => inheritAll(fileOf(`target: {${text}, t${length}: {}}`))).toThrow('more than 100 levels');
  });

  const variables = `variables: {${Array.from({ length: 10_000 }, (_, n) => `V${n}: 1`).join(', ')}}`;
  it.each([
    [
      'one parent very often',
      `a: {${variables}}, b: {inherits: [${'a, '.repeat(100_000)}]}`,
      'target b: it inherits from 100000 targets, more than 100',
    ],
    [
      'many variables for many targets',
      `a: {${variables}}, ${chain(200, (name) => `${name}: {inherits: [a]}`).join(', ')}`,
      'the targets have more than 1000000 variables together',
    ],
  ])('of %s', (_, text, problem) => {
    expect(() => inheritAll(fileOf(`target: {${text}}`))).toThrow(problem);
  });

  it('of groups, 60 levels deep', () => {
    const file = fileOf(`{group: {${nested(60).join(', ')}}, target: {t60: {}}}`);
    expect(chooseTargets(['t0'], file)).toEqual([{ target: 't60' }]);
  });

  it.each([
    ['from its top', nested(101)],
    ['from its bottom', nested(101).reverse()],
    ['far too deep', nested(999)],
  ])('of too many levels of groups, %s', (_, groups) => {
    const file = fileOf(`{group: {${groups.join(', ')}}, target: {t${groups.length}: {}}}`);
    expect(() => checkGroups(file)).toThrow('more than 100 levels');
  });

  it('reads the parents of each target once', () => {
    const text = layers(40, 20, (name, below) => `${name}: {inherits: [${below}]}`);
    const file = fileOf(`target: {${text}, ${leaves(800, 20)}}`);
    let read = 0;
    const counting = new Map(
      [...file.targets].map(([name, target]) => [
        name,
        {
          ...target,
          get inherits() {
            read += 1;
            return target.inherits;
          },
        },
      ]),
    );
    inheritAll({ ...file, targets: counting });
    expect(read).toBe(820);
  });

  it('reads the members of each group once', () => {
    const text = layers(40, 20, (name, below) => `${name}: [${below}]`);
    const file = fileOf(`{group: {${text}}, target: {${leaves(800, 20)}}}`);
    let read = 0;
    const groups = new Map(file.groups);
    groups.get = (name) => {
      if (file.groups.has(name)) read += 1;
      return file.groups.get(name);
    };
    checkGroups({ ...file, groups });
    expect(read).toBe(800);
  });

  it.each(['target', 'group'])('of too many parts in %s', (kind) => {
    const parts = Array.from({ length: 1001 }, (_, n) => `t${n}: []`).join(', ');
    expect(() => fileOf(`${kind}: {${parts}}`)).toThrow(`${kind}: expected up to 1000 entries, found 1001`);
  });
});

describe('the targets of a run', () => {
  const file = fileOf(`
group: {default: [shop, tills], tills: [till, counter], none: []}
target: {shop: {}, till: {}, counter: {}, extra: {}}`);

  it.each<[string[], string[]]>([
    [[], ['shop', 'till', 'counter']],
    [['till'], ['till']],
    [
      ['tills', 'shop'],
      ['till', 'counter', 'shop'],
    ],
    [
      ['shop', 'default'],
      ['shop', 'till', 'counter'],
    ],
    [['none'], []],
    [['shop@linux/aarch64'], ['shop@linux/arm64']],
    [['tills@linux/amd64'], ['till@linux/amd64', 'counter@linux/amd64']],
    [['shop@linux/amd64', 'shop'], ['shop']],
    [['shop@linux/amd64', 'shop@linux/amd64'], ['shop@linux/amd64']],
  ])('%j are %j', (words, chosen) => {
    const found = chooseTargets(words, file);
    expect(
      found.map(({ target, platform }) => (platform === undefined ? target : `${target}@${platform}`)),
    ).toEqual(chosen);
  });

  it.each<[string, string[], string, string?]>([
    ['group: {a: [b], b: [a]}', ['a'], 'groups contain each other: a, b, a'],
    ['group: {a: [shap]}\ntarget: {shop: {}}', ['a'], 'group a: there is no target or group "shap"', 'shop?'],
    [
      'target: {shop: {}}',
      [],
      'there is no group default, and no target is named',
      'name what to build: shop',
    ],
    ['target: {shop: {}}', ['shpo'], 'there is no target or group "shpo"', 'did you mean shop?'],
    ['target: {shop: {}}', ['shop@arm64'], 'platform "arm64" is not os/arch[/variant]'],
    ['target: {shop: {}}', ['shop@'], 'platform "" is not os/arch[/variant]'],
  ])('%s with %j: %s', (text, words, message, hint) => {
    const failing = () => chooseTargets(words, fileOf(text));
    expect(failing).toThrow(message);
    if (hint !== undefined)
      expect(failing).toThrow(expect.objectContaining({ hint: expect.stringContaining(hint) as string }));
  });
});

describe('--set', () => {
  const file = fileOf('target: {shop-a: {}, shop-b: {}, a.b: {}}');
  const set = (name: string, ...texts: string[]) =>
    override(
      { name, settings: { platform: ['linux/amd64'] }, variables: { TAG: '1' } },
      texts.map(parseOverride),
      (key) => ['platform', 'base'].includes(key),
    );

  it.each([
    ['shop-a', ['shop-a.effort=fast'], { effort: 'fast' }, {}],
    ['shop-a', ['*.effort=fast', 'shop-*.effort=best'], { effort: 'best' }, {}],
    ['shop-a', ['shop-b.effort=fast', 's*b.effort=fast'], {}, {}],
    ['shop-a', ['*.platform=linux/arm64'], { platform: ['linux/arm64'] }, {}],
    ['shop-a', ['*.base=1.0=a.tar', '*.base=b'], { base: ['1.0=a.tar', 'b'] }, {}],
    ['a.b', ['a.b.effort=fast', 'axb.effort=best'], { effort: 'fast' }, {}],
    ['shop-a', ['*.variables.TAG=2', '*.variables.SITE='], {}, { TAG: '2', SITE: '' }],
  ])('%s with %j', (name, texts, settings, variables) => {
    const found = set(name, ...texts);
    expect(found.settings).toEqual({ platform: ['linux/amd64'], ...settings });
    expect(found.variables).toEqual({ TAG: '1', ...variables });
  });

  it('keeps the key __proto__', () => {
    const { settings, variables } = set('shop-a', '*.__proto__=x', '*.variables.__proto__=y');
    expect([Object.keys(settings), Object.keys(variables)]).toEqual([
      ['platform', '__proto__'],
      ['TAG', '__proto__'],
    ]);
  });

  it.each(['', 'shop', 'shop.effort', '.effort=fast', 'effort=fast', '=x'])('refuses %j', (text) => {
    expect(() => parseOverride(text)).toThrow('expected TARGET.KEY=VALUE');
  });

  it.each(['shap-a.effort=fast', 'SHOP*.effort=fast', 'shop.effort=fast'])('refuses %s', (text) => {
    expect(() => requireTargets([parseOverride(text)], file)).toThrow('/b.yaml has no target');
  });
});

describe('--shard', () => {
  it.each([
    [1, ['a5', 'd1']],
    [2, ['b3', 'c3']],
  ])('%d/2 has %j', (index, part) => {
    const items = ['a5', 'b3', 'c3', 'd1'];
    expect(shardOf(items, (item) => Number(item[1]), { index, count: 2 })).toEqual(part);
  });

  it.each([1, 2, 3, 7, 50])('into %d parts loses nothing and has even parts', (count) => {
    const items = Array.from({ length: 24 }, (_, n) => ({ n, work: (n % 3) + 1 }));
    const parts = Array.from({ length: count }, (_, n) =>
      shardOf(items, ({ work }) => work, { index: n + 1, count }),
    );
    expect(
      parts
        .flat()
        .map(({ n }) => n)
        .sort((a, b) => a - b),
    ).toEqual(items.map(({ n }) => n));
    const loads = parts.map((part) => part.reduce((sum, { work }) => sum + work, 0));
    expect(Math.max(...loads) - Math.min(...loads)).toBeLessThanOrEqual(3);
  });

  it.each(['', '2', '0/2', '3/2', '1/0', '1/2/3', 'a/b', '-1/2', '1.5/2', '1/99999'])(
    'refuses %j',
    (text) => {
      expect(() => parseShard(text)).toThrow('expected PART/PARTS, like 2/5');
    },
  );
});

it.each([
  ['github' as const, ['shop@linux/arm64', 'till'], { target: ['shop@linux/arm64', 'till'] }],
  ['gitlab' as const, ['shop', 'till'], [{ TARGET: ['shop', 'till'] }]],
  ['gitlab' as const, [], []],
])('the matrix for %s of %j', (system, words, matrix) => {
  expect(matrixOf(words, system)).toEqual(matrix);
});

it.each([
  [{ processors: 8, memory: 16e9 }, 24, undefined, { jobs: 8, threads: 1 }],
  [{ processors: 8, memory: 16e9 }, 2, undefined, { jobs: 2, threads: 4 }],
  [{ processors: 8, memory: 1e9 }, 24, undefined, { jobs: 2, threads: 4 }],
  [{ processors: 2, memory: 1e8 }, 24, undefined, { jobs: 1, threads: 2 }],
  [{ processors: 2, memory: 1e8 }, 24, 6, { jobs: 6, threads: 1 }],
  [{ processors: 2, memory: 16e9 }, 0, undefined, { jobs: 1, threads: 2 }],
])('%j runs %d builds (asked: %s) as %j', (machine, builds, asked, budget) => {
  expect(budgetOf(machine, builds, asked)).toEqual(budget);
});
