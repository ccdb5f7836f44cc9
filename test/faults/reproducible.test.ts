import { mkdtempSync, mkdirSync, readFileSync, readdirSync, rmSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { digestOf } from '../../src/oci/digest.ts';
import { requireTool } from '../helpers/tools.ts';
import { compiledIn } from './compile.ts';
import { shop } from './shop.ts';
import type { Tool } from './tool.ts';
import { runTool } from './tool.ts';

/** Two layers of 2 MB. */
const LINES = 40_000;

let folder: string;
let tool: Tool;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'mender-docker-delta-reproducible-'));
  tool = compiledIn(join(folder, 'tool'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Surroundings {
  path: string;
  /** Of all input files, seconds since 1970. */
  time: number;
  /** Processors that the build may use. */
  processors: string;
  environment?: Record<string, string>;
}

/** Digests of a full artifact and of a delta over it, made from scratch. */
async function build(
  { path, time, processors, environment }: Surroundings,
  module: string,
): Promise<string[]> {
  const home = join(folder, path);
  mkdirSync(home, { recursive: true });
  const { archive, artifact, cache } = shop(home, LINES);
  for (const name of readdirSync(home)) utimesSync(join(home, name), time, time);
  utimesSync(join(home, 'shop/compose.yaml'), time, time);
  const bound: Tool = ['taskset', '-c', processors, ...tool];
  for (const [version, release] of [
    ['1.0', '1'],
    ['2.0', '2'],
  ] as const) {
    const argv = [
      'build',
      join(home, 'shop'),
      '--artifact-version',
      version,
      '--no-upload',
      '--mode',
      'offline',
      '--module',
      module,
      '-f',
      `web=${archive(release)}`,
      '-a',
      artifact(version),
      '--cache-dir',
      cache,
    ];
    const run = await runTool(bound, argv, { HOME: home, TAG: release, ...environment });
    expect([run.code, run.stderr]).toEqual([0, expect.not.stringContaining('error')]);
  }
  return ['1.0', '2.0'].map((version) => digestOf(readFileSync(artifact(version))));
}

describe('the same inputs give the same artifacts', () => {
  it.each(['app', 'docker-compose'])(
    'for module %s, wherever, whenever and with however many workers',
    async (module) => {
      requireTool('taskset', 'util-linux');
      const first = await build({ path: `${module}/a`, time: 1_000_000_000, processors: '0' }, module);
      const second = await build(
        {
          path: `${module}/another place/b`,
          time: 1_700_000_000,
          processors: '0,1',
          environment: { TZ: 'Asia/Tokyo', LC_ALL: 'C' },
        },
        module,
      );
      expect(second).toEqual(first);
    },
    180_000,
  );
});
