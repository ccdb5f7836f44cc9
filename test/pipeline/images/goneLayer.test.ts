import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { CliRun } from '../../helpers/cli.ts';
import type { BuildDocument } from '../../../src/commands/build/buildDocument.ts';
import { buildImage } from '../../helpers/images.ts';
import type { BuiltImage } from '../../helpers/images.ts';
import { startMisbehavingRegistry } from '../../helpers/misbehaving-registry.ts';
import { project } from '../../helpers/project.ts';
import { temporaryFolder } from '../../helpers/temporary.ts';

const base = { 'bin/tool': 'tool '.repeat(20_000) };
const v1 = buildImage({ layers: [base, { 'app/main.js': 'one '.repeat(9000) }] });
const v2 = buildImage({ layers: [base, { 'app/main.js': `${'one '.repeat(9000)}two` }] });

const lib = { 'lib/data': 'data '.repeat(20_000) };
const twoV1 = buildImage({ layers: [base, lib, { 'app/main.js': 'one '.repeat(9000) }] });
const twoV2 = buildImage({
  layers: [
    base,
    { 'lib/data': `${'data '.repeat(20_000)}more` },
    { 'app/main.js': `${'one '.repeat(9000)}two` },
  ],
});

/** A project whose first version is built, with a registry that has lost a layer of it since. */
async function withLostLayer(before: BuiltImage, after: BuiltImage, lost: number) {
  const registry = await startMisbehavingRegistry();
  onTestFinished(() => registry.stop());
  registry.add('team/app', '1', before);
  registry.add('team/app', '2', after);
  const shop = project(temporaryFolder(), [`web: {image: "${registry.host}/team/app:\${TAG:-2}"}`]);
  expect(await shop.build('1.0', '1')).toMatchObject({ code: 0 });
  rmSync(join(shop.cache, 'v1/layers'), { recursive: true });
  const { digest } = before.layers[lost]!.descriptor;
  registry.faults.push({
    match: new RegExp(`blobs/${digest}`),
    act: (_request, response) => void response.writeHead(404).end(),
  });
  const plan = (): Promise<CliRun> => {
    return shop.cli('plan', join(shop.folder, 'shop'), '--no-upload', '--artifact-version', '2.0', '--json');
  };
  const gone = `a layer of the base image ${registry.host}/team/app:1 is gone`;
  return { ...shop, plan, gone };
}

/** The kinds of the layers in the report of a plan or a build. */
function kindsIn({ stdout }: CliRun): string[] {
  const [first] = (JSON.parse(stdout) as BuildDocument).artifacts;
  return first!.images.flatMap(({ layers }) => layers.map(({ kind }) => kind));
}

const CASES: [string, BuiltImage, BuiltImage, string[], string, string[]][] = [
  ['the only one', v1, v2, ['omit', 'full'], 'shipping changed layers whole', ['omit', 'full']],
  [
    'one of two',
    twoV1,
    twoV2,
    ['omit', 'delta', 'delta'],
    'making deltas from its other layers',
    ['omit', 'delta', 'full'],
  ],
];

describe.each(CASES)(
  'a replaced base layer that nobody has any more, %s',
  (_, before, after, planned, words, built) => {
    const last = before.layers.length - 1;

    test('plan says what the build will do, and downloads no layer', async () => {
      const { plan, gone, cache } = await withLostLayer(before, after, last);
      const run = await plan();
      expect([run.code, run.stderr]).toEqual([0, expect.stringContaining(`${gone}; ${words}`)]);
      expect(kindsIn(run)).toEqual(planned);
      expect(existsSync(join(cache, 'v1/layers'))).toBe(false);
    });

    test('the build ships the new layer whole', async () => {
      const { build, gone } = await withLostLayer(before, after, last);
      const run = await build('2.0', '2', '--json');
      expect([run.code, run.stderr]).toEqual([0, expect.stringContaining(`${gone}; ${words}`)]);
      expect(kindsIn(run)).toEqual(built);
    });
  },
);
