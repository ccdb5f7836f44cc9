import { describe, expect, test } from 'vitest';
import type { ExaminedFile } from '../../../src/pipeline/report/examined.ts';
import { makeReport } from '../../../src/pipeline/report/makeReport.ts';
import { restWeight } from '../../../src/pipeline/report/weigher.ts';
import type { SizeNode } from '../../../src/pipeline/report/model.ts';
import { treeOf } from '../../../src/pipeline/report/tree.ts';
import { layerCommands } from '../../../src/pipeline/report/layerCommands.ts';
import { FACTS, file, image, layer } from './samples.ts';

const base = (path: string, facts = {}) => ({ path, size: 100, modified: 0, attributes: '', ...facts });
const kept = { kept: 100, added: 0, size: 100, headerAdded: 20 };
const packed = { content: 'packed' as const };
const program = { content: 'program' as const };

describe('findings', () => {
  test.each<[string, ExaminedFile[][], string[]]>([
    ['nothing', [[file('app/main.js', 100)]], []],
    ['a new time', [[file('a', 9, { ...kept, modified: 5, base: base('a') })]], ['times a']],
    ['a new mode', [[file('a', 9, { ...kept, attributes: '755', base: base('a') })]], []],
    ['an unchanged file', [[file('a', 0, { ...kept, headerAdded: 0, base: base('a') })]], []],
    ['a bundle', [[file('a.jar', 100, packed)]], ['packed a.jar']],
    ['a program built anew', [[file('bin/a', 100, { ...program, base: base('bin/a') })]], ['program bin/a']],
    ['a new program', [[file('bin/a', 100, program)]], []],
    ['debug information', [[file('bin/a', 100, { ...program, hasDebug: true })]], ['debug bin/a']],
    [
      'caches of apt',
      [[file('var/lib/apt/lists/x', 100)], [file('var/cache/apt/y', 50)]],
      ['packageCache var/lib/apt/lists/x var/cache/apt/y'],
    ],
    [
      'caches of users',
      [[file('root/.cache/pip/x', 9)], [file('tmp/x', 8)]],
      ['userCache root/.cache/pip/x tmp/x'],
    ],
    [
      'logs',
      [[file('var/log/apt/term', 9), file('x/npm.log', 8), file('x/catalog', 7)]],
      ['log var/log/apt/term x/npm.log'],
    ],
    ['bytecode', [[file('a/__pycache__/b.pyc', 9)]], ['bytecode a/__pycache__/b.pyc']],
    ['manuals', [[file('usr/share/man/man1/a.1', 9)]], ['documentation usr/share/man/man1/a.1']],
    [
      'a file that is only copied twice',
      [[file('a', 9, { digest: 'x' }), file('b', 8, { digest: 'x', moved: 8, added: 0 })]],
      [],
    ],
    ['a repository', [[file('app/.git/objects/1', 9)]], ['git app/.git/objects/1']],
    ['one file twice', [[file('a', 9, { digest: 'x' }), file('b', 8, { digest: 'x' })]], ['twice b']],
    [
      'a file that chown copied',
      [[file('a', 9, { digest: 'x' })], [file('a', 8, { digest: 'x' })]],
      ['again a'],
    ],
    [
      'a file that is replaced',
      [[file('a', 9, { digest: 'x' })], [file('a', 8, { digest: 'y' })]],
      ['replaced a'],
    ],
    ['a file that is deleted', [[file('d/a', 9)], [file('d/.wh.a', 0, { size: 0 })]], ['replaced d/a']],
  ])('are told for %s', (_, layers, expected) => {
    const { findings } = makeReport(FACTS, [image(layers.map((files) => layer(files)))], undefined);
    expect(findings.map(({ kind, paths }) => [kind, ...paths].join(' '))).toEqual(expected);
  });

  test('name those that cost most, and leave out small change', () => {
    const files = [
      ...Array.from({ length: 30 }, (_, index) => file(`var/log/${index}`, index)),
      file('a.gz', 1, packed),
      file('b', 9000),
    ];
    const [finding, ...more] = makeReport(FACTS, [image([layer(files)])], undefined).findings;
    expect(more).toEqual([]);
    expect(finding).toMatchObject({ kind: 'log', count: 29 });
    expect(finding!.paths.slice(0, 2)).toEqual(['var/log/29', 'var/log/28']);
    expect(finding!.paths).toHaveLength(8);
  });
});

describe('a report', () => {
  const rest = { texts: 1000, scripts: [], decoder: 0, frame: 0 };
  test('divides the bytes of the artifact', () => {
    const files = [file('a', 300), file('b', 100)];
    const report = makeReport(
      { ...FACTS, size: 2 * (400 + restWeight(rest)), rest },
      [image([layer(files)])],
      undefined,
    );
    expect(report.rest).toBeCloseTo(2 * restWeight(rest));
    expect(report.files.map(({ cost }) => cost)).toEqual(
      [600, 200].map((cost) => expect.closeTo(cost) as number),
    );
    expect(report.images[0]!.cost + report.rest).toBeCloseTo(report.size);
  });

  test('counts scripts of one content once', () => {
    const script = { sha256: 'a'.repeat(64), size: 10_000 };
    const other = { sha256: 'b'.repeat(64), size: 10_000 };
    const weigh = (scripts: (typeof script)[]): number => restWeight({ ...rest, scripts });
    expect(weigh([script, script, script])).toBe(weigh([script]));
    expect(weigh([script, other]) - weigh([script])).toBe(weigh([script]) - weigh([]));
  });

  test.each([
    ['lzma', 1000, 0.02],
    ['zstd', 1000, 0.02],
    [null, 1000, 0.02],
    ['gzip', 1000, 1],
    ['none', 1000, 1],
    ['lzma', 6 << 20, 1],
  ])('lets a repetition cost little with %s, %i bytes behind', (compression, distance, share) => {
    const twin = { digest: 'x', size: 400, added: 400 };
    const files = [file('a', 400, twin), file('b', distance), file('c', 400, twin)];
    const { files: told } = makeReport(
      { ...FACTS, compression, size: undefined },
      [image([layer(files)])],
      undefined,
    );
    const cost = new Map(told.map((one) => [one.path, one.cost]));
    expect(cost.get('c')! / cost.get('a')!).toBeCloseTo(share);
  });

  test('estimates the size of an artifact that is not built', () => {
    expect(
      makeReport({ ...FACTS, size: undefined }, [image([layer([file('a', 300)])])], undefined).size,
    ).toBe(300);
  });

  test('says what it does not know', () => {
    const lone = layer([], {
      kind: 'delta',
      contents: { kept: 5, moved: 0, added: 5, repeated: 0, weight: 5, instructions: 1, files: undefined },
    });
    const sizeless = layer([], { kind: 'omit', contents: undefined, size: undefined });
    const { unknown, images } = makeReport(FACTS, [image([lone, sizeless])], undefined);
    expect(unknown).toEqual([
      expect.stringMatching(/^1 of 2 layers are deltas/),
      expect.stringMatching(/^The size of 1 /),
    ]);
    expect(images[0]!.layers.map(({ tree }) => tree)).toEqual([null, null]);
  });

  test('tells why a file costs', () => {
    const files = [
      file('a', 9, { ...kept, modified: 5, base: base('a') }),
      file('b', 8, { ...kept, base: base('b') }),
      file('c', 7, { kept: 0, moved: 100, added: 0, size: 100, base: base('old') }),
      file('d', 6, packed),
      file('e', 5, { ...program, base: base('e') }),
    ];
    const told = makeReport(FACTS, [image([layer(files)])], undefined).files;
    expect(told.map(({ why }) => why)).toEqual([
      'only its time is new',
      'only its header is new',
      'at a new path',
      'its content is compressed',
      'a program that was built anew',
    ]);
    expect(told.map(({ from }) => from)).toEqual([null, null, 'old', null, null]);
  });
});

describe('a tree', () => {
  const shape = ({ name, files, nodes }: SizeNode): unknown =>
    nodes.length === 0 ? `${name} ${files}` : { [name]: nodes.map(shape) };
  const tree = (paths: Record<string, boolean>): unknown =>
    shape(
      treeOf(
        'layer',
        Object.entries(paths).map(([path, isShown]) => ({
          file: file(path, 1),
          amounts: { size: 1, kept: 0, moved: 0, sent: 1, cost: 1 },
          isShown,
        })),
      ),
    );

  test('ends at a level that pages can show', () => {
    const deep = 'a/'.repeat(100_000);
    expect(tree({ [`${deep}b`]: true, [`${deep}c`]: false })).toEqual({
      layer: [{ [deep.slice(0, 127)]: ['1 more file 1', 'b 1'] }],
    });
  });

  test.each([
    ['folders', { 'a/b': true, 'a/c': true }, { layer: [{ a: ['b 1', 'c 1'] }] }],
    ['long paths', { 'usr/lib/x/y': true }, { layer: [{ 'usr/lib/x': ['y 1'] }] }],
    ['a rest', { 'a/b': true, 'a/c': false, 'a/d/e': false }, { layer: [{ a: ['2 more files 2', 'b 1'] }] }],
    ['only a rest', { 'a/b': false }, { layer: ['1 more file 1'] }],
    [
      'odd paths',
      { '': true, 'a//b': true, '../x': true },
      { layer: [' 1', { '..': ['x 1'] }, { 'a/': ['b 1'] }] },
    ],
    ['nothing', {}, 'layer 0'],
  ])('has %s', (_, paths, expected) => expect(tree(paths)).toEqual(expected));

  test('may be deep', () => {
    expect(tree({ [`${'d/'.repeat(2000)}x`]: true })).toBeDefined();
  });
});

test.each([
  ['{', []],
  ['{"history": 5}', []],
  [
    '{"history": [5, {"empty_layer": true, "created_by": "ENV A=1"}, {"created_by": "/bin/sh -c #(nop) ADD file:1 in / "}]}',
    [undefined, 'ADD file:1 in /'],
  ],
  [
    '{"history": [{"created_by": "RUN /bin/sh -c make\\n  all # buildkit"}, {"created_by": "/bin/sh -c make"}]}',
    ['RUN make all', 'RUN make'],
  ],
])('the history %s tells of layers', (config, expected) =>
  expect(layerCommands(Buffer.from(config))).toEqual(expected),
);
