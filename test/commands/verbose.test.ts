import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CacheUse } from '../../src/cache/use.ts';
import { linesOf, stepText } from '../../src/commands/terminal/progressText.ts';
import { runCli } from '../helpers/cli.ts';
import { freePort } from '../helpers/freePort.ts';
import { buildImage } from '../helpers/images.ts';
import { noise } from '../helpers/noise.ts';
import { project } from '../helpers/project.ts';
import { push, startRegistry } from '../helpers/registry.ts';
import type { RunningRegistry } from '../helpers/registry.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

let registry: RunningRegistry;
beforeAll(async () => {
  registry = await startRegistry();
  for (const tag of ['1', '2']) {
    const program = noise(50_000, 2);
    program.write(tag, 10_000);
    const layers = [{ 'usr/base': noise(50_000, 1) }, { app: program }];
    await push(registry.host, 'shop/web', tag, buildImage({ layers }));
  }
});
afterAll(() => registry.stop());
const services = () => [`web: {image: "${registry.host}/shop/web:\${TAG}"}`];

describe('build -v', () => {
  it('tells where the base comes from, what the cache had, and the seconds of each step', async () => {
    const { build, artifact } = project(temporaryFolder(), services());
    const said = async (version: string, tag: string, ...flags: string[]): Promise<string> => {
      const { code, stderr } = await build(version, tag, '-v', ...flags);
      expect(code, stderr).toBe(0);
      return stderr;
    };
    const first = await said('1.0', '1');
    expect(first).toContain('debug: looking for a base in the last local build: none fits\n');
    expect(first).toContain('debug: looking for a base in git: none fits\n');
    expect(first).toContain('debug: from the cache: 0 of 1 images, 0 of 2 layers\n');
    for (const step of ['looking up the images', 'looking for the base', 'checking 1.0.mender'])
      expect(first).toMatch(new RegExp(`^debug: ${step}: (.* in )?\\d\\.\\d s$`, 'm'));

    const second = await said('2.0', '2');
    expect(second).toContain('debug: looking for a base in the last local build: found\n');
    expect(second).toContain('debug: the base is 1.0, the last local build (cache)\n');
    const images = `${registry.host}/shop/web:2 is compared with ${registry.host}/shop/web:1`;
    expect(second).toContain(`debug: shop-2.0: ${images}, the same repository: 1 of 2 layers are there\n`);
    expect(second).toMatch(/^debug: from the cache: 0 of 1 images, \d of \d layers, 0 of 1 deltas$/m);

    const again = await said('2.1', '2', '--base', artifact('1.0'));
    expect(again).toMatch(/^debug: from the cache: 1 of 1 images, (\d) of \1 layers, 1 of 1 deltas$/m);
  });

  it('says nothing of this without -v', async () => {
    const { build } = project(temporaryFolder(), services());
    const { stderr } = await build('1.0', '1');
    expect(stderr).not.toMatch(/debug|from the cache/);
  });
});

it.each([
  [{ label: 'packing', done: 2_000_000, milliseconds: 3_000 }, 'packing: 2.00 MB in 3.0 s'],
  [{ label: 'looking for the base', done: 0, milliseconds: 400 }, 'looking for the base: 0.4 s'],
])('the step %j', (step, text) => {
  expect(stepText(step)).toBe(text);
});

it('the use of a cache is told by kind', () => {
  const use = new CacheUse();
  expect(use.describe()).toBe('nothing was needed');
  for (const isHeld of [true, false, true]) use.count('layers', isHeld);
  use.count('images', false);
  expect(use.describe()).toBe('0 of 1 images, 2 of 3 layers');
  use.forBuild().count('deltas', true);
  expect([use.describe(), use.forBuild().describe()]).toEqual([
    '0 of 1 images, 2 of 3 layers',
    '0 of 1 images',
  ]);
});

it.each([
  // The run took one, made one, and had one.
  [{ takes: true, stores: false }, [true, false, true], 'deltas taken: 1 of 2'],
  [{ takes: false, stores: true }, [true, false, true], 'deltas stored: 1'],
  [{ takes: true, stores: true }, [true, false, true], 'deltas taken: 1 of 2, stored: 1'],
  [{ takes: true, stores: false }, [], 'deltas taken: none needed'],
])('the use of a shared cache, %j %j', (wanted, deltas, text) => {
  const use = new CacheUse();
  for (const isHeld of deltas) use.count('deltas', isHeld);
  if (deltas.length > 0) use.countTaken();
  use.countStored();
  expect(use.describeShared(wanted)).toBe(text);
});

it('what nobody answers is told after a second, and not with -q', async () => {
  const home = temporaryFolder();
  const refused = async (words: (host: string) => string[]): Promise<[string, string]> => {
    const host = `127.0.0.1:${await freePort()}`;
    const { code, stderr } = await runCli(words(host), { HOME: home, MENDER_PAT: 'token' });
    expect(code, stderr).toBe(5);
    return [host, stderr];
  };
  const image = (host: string): string => {
    const path = join(home, `${host.replace(/.*:/, '')}.yaml`);
    writeFileSync(path, `services: {web: {image: "${host}/shop/web:1"}}\n`);
    return path;
  };
  const places: ((host: string) => string[])[] = [
    (host) => ['releases', 'list', '-h', `http://${host}`],
    (host) => ['library', 'tags', 'acme/apps/gateway', '--library', `http://${host}`],
    (host) => ['destinations', 'resolve', 'gateway', '--starmap-url', `http://${host}`],
    (host) => [
      'plan',
      image(host),
      '-t',
      'q',
      '-p',
      'linux/amd64',
      '--artifact-version',
      '1',
      '--mode',
      'online',
    ],
  ];
  const loud = await Promise.all(places.map(refused));
  for (const [host, stderr] of loud) {
    const lines = stderr.split('\n').filter((line) => line.includes('trying again'));
    expect(lines, stderr).toEqual([`${host} does not answer (connection refused), trying again`]);
  }
  const quiet = await Promise.all(places.map((words) => refused((host) => [...words(host), '-q'])));
  for (const [, stderr] of quiet) expect(stderr).toMatch(/^error: .*\n( {2}try: .*\n)?$/);
}, 60_000);

it.each([
  [120, 'packing: 1.50 MB of 3.00 MB (50 %), 1.50 MB/s, 1.0 s left'],
  [50, 'packing: 1.50 MB of 3.00 MB (50 %), 1.50 MB/s'],
  [42, 'packing: 1.50 MB of 3.00 MB (50 %)'],
])('a terminal of %i columns shows whole amounts', (columns, text) => {
  const task = { label: 'packing', total: 3_000_000, done: 1_500_000, since: 0 };
  const [line] = linesOf([task], columns, 1000);
  expect(line?.replace(/^\[.*?\] /, '')).toBe(text);
});
