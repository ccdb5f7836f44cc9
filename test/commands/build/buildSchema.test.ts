import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BuildDocument } from '../../../src/commands/build/buildDocument.ts';
import { schemaErrors } from '../../helpers/buildSchema.ts';
import { runCli } from '../../helpers/cli.ts';
import { buildImage } from '../../helpers/images.ts';
import { menderServer } from '../../helpers/menderServer/menderServer.ts';
import { simulateDevice } from '../../helpers/menderServer/device.ts';
import { noise } from '../../helpers/noise.ts';
import { project } from '../../helpers/project.ts';
import { push, startRegistry } from '../../helpers/registry.ts';
import type { RunningRegistry } from '../../helpers/registry.ts';
import { temporaryFolder } from '../../helpers/temporary.ts';

interface SchemaModule {
  jsonSchema: (root: string, file: string, name: string, head: object) => object;
}

const ROOT = resolve(import.meta.dirname, '../../..');

let registry: RunningRegistry;
beforeAll(async () => {
  registry = await startRegistry();
  const base = { 'usr/base': noise(50_000, 1) };
  const moved = { 'usr/share': noise(50_000, 4) };
  for (const tag of ['1', '2']) {
    const program = noise(50_000, 2);
    program.write(tag, 10_000);
    const layers =
      tag === '1' ? [base, { app: program }, moved] : [base, moved, { app: program }, { new: tag }];
    await push(registry.host, 'shop/web', tag, buildImage({ layers }));
  }
});
afterAll(() => registry.stop());

const shop = () => project(temporaryFolder(), [`web: {image: "${registry.host}/shop/web:\${TAG}"}`]);

describe('docs/build.schema.json', () => {
  it('is what the types of the code say', async () => {
    const { jsonSchema } = (await import(join(ROOT, 'scripts/lib/jsonSchema.mjs'))) as SchemaModule;
    const head = { title: 'What mender-docker-delta plan --json and build --json print' };
    const schema = jsonSchema(ROOT, 'src/commands/build/buildDocument.ts', 'BuildOutput', head);
    // `npx vitest run test/commands/build/buildSchema.test.ts -u` writes the file again.
    const text = `${JSON.stringify(schema, null, 2)}\n`;
    await expect(text).toMatchFileSnapshot('../../../docs/build.schema.json');
  }, 120_000);

  it('is refused by a document that lacks a field or has another one', () => {
    const whole = { artifacts: [], delivery: null, destinations: null, devices: null, error: null };
    expect(schemaErrors(JSON.stringify(whole), 'BuildDocument')).toBe('');
    const { error, ...part } = whole;
    expect(schemaErrors(JSON.stringify(part), 'BuildDocument')).toContain("required property 'error'");
    const more = { ...whole, more: error };
    expect(schemaErrors(JSON.stringify(more), 'BuildDocument')).toContain('additional properties');
  });
});

/**
 * What a document says of its artifacts: the kinds of the image and its layers, and whether it is
 * finished.
 */
function factsIn(stdout: string): string[] {
  const { artifacts } = JSON.parse(stdout) as BuildDocument;
  return artifacts.map(({ images, artifact, base }) => {
    const kinds = images.map(({ kind, layers }) => `${kind}: ${layers.map((one) => one.kind).join(' ')}`);
    const sizes = images
      .flatMap(({ layers }) => layers)
      .filter(({ size, sent }) => size !== null && sent !== null);
    return `${kinds.join()} (${artifact === null ? 'planned' : 'built'}, ${sizes.length} sizes, base ${base?.version ?? 'none'})`;
  });
}

describe('plan --json and build --json have one shape', () => {
  const FULL = 'full: full full full full';
  const DELTA = 'delta: omit identity delta full';
  it.each<[string, string, string, string[], string[]]>([
    ['a full plan', 'plan', '2', ['--no-delta'], [`${FULL} (planned, 0 sizes, base none)`]],
    ['a full build', 'build', '2', ['--no-delta'], [`${FULL} (built, 4 sizes, base none)`]],
    ['a delta plan', 'plan', '2', [], ['delta: omit identity delta delta (planned, 0 sizes, base 1.0)']],
    ['a delta', 'build', '2', [], [`${DELTA} (built, 4 sizes, base 1.0)`]],
    [
      'a delta and a full artifact',
      'build',
      '2',
      ['--also-full'],
      [`${DELTA} (built, 4 sizes, base 1.0)`, `${FULL} (built, 4 sizes, base none)`],
    ],
    ['nothing changed', 'build', '1', [], ['unchanged: omit omit omit (built, 3 sizes, base 1.0)']],
  ])('%s', async (_, verb, tag, flags, facts) => {
    const { build, folder } = shop();
    expect(await build('1.0', '1')).toMatchObject({ code: 0 });
    const what = [verb, join(folder, 'shop'), '--artifact-version', '2.0', '--no-upload', '--json'];
    const environment = { HOME: folder, MENDER_HELPER_CACHE_DIR: join(folder, 'cache'), TAG: tag };
    const previous = process.cwd();
    process.chdir(folder);
    const run = await runCli([...what, ...flags], environment).finally(() => process.chdir(previous));
    expect([run.code, run.stderr]).toEqual([0, expect.any(String)]);
    expect(schemaErrors(run.stdout, 'BuildDocument')).toBe('');
    expect(factsIn(run.stdout)).toEqual(facts);
  });

  it.each<['success' | 'failure', number]>([
    ['success', 0],
    ['failure', 9],
  ])('a deployment that ends with %s', async (outcome, exitCode) => {
    const server = await menderServer();
    simulateDevice(server, { id: 'd1', type: 'qemu', group: 'test', provides: {} }, { outcome });
    const { folder } = shop();
    const what = [
      'build',
      join(folder, 'shop'),
      '--artifact-version',
      '1.0',
      '-a',
      join(folder, 'out.mender'),
    ];
    const run = await runCli([...what, '-g', 'test', '--poll-interval', '0.05s', '--json'], {
      HOME: folder,
      TAG: '1',
      MENDER_PAT: server.token,
      MENDER_DOCKER_DELTA_MENDER_HOST: server.url,
    });
    expect([run.code, run.stderr]).toEqual([exitCode, expect.any(String)]);
    expect(schemaErrors(run.stdout, 'BuildDocument')).toBe('');
    const { error, delivery, artifacts } = JSON.parse(run.stdout) as BuildDocument;
    expect([artifacts.length, delivery?.deployment?.watched?.outcome.kind === 'success']).toEqual([
      1,
      exitCode === 0,
    ]);
    expect(error?.exitCode ?? 0).toBe(exitCode);
  });

  it.each<[string, string[], number]>([
    ['plan', ['nowhere.yaml'], 3],
    ['build', ['nowhere.yaml'], 3],
    ['build', ['.', '--no-uplaod'], 2],
  ])('an error of %s %j', async (verb, words, exitCode) => {
    const run = await runCli([verb, ...words, '--json'], { HOME: temporaryFolder() });
    expect(run.code).toBe(exitCode);
    expect(schemaErrors(run.stdout, 'ErrorDocument')).toBe('');
  });
});
